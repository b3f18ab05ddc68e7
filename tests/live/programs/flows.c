/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flows COUNT FIRST [THREADS]: that many nonblocking connects, each to another destination: all
 * ports of the IPv4 address FIRST, then those of the next. Nothing must listen there. With
 * threads, each on a CPU of its own, all of them connect to each destination, at the same moment.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sysinfo.h>
#include <sys/socket.h>
#include <unistd.h>

static in_addr_t first;
static long count, threads = 1;
static atomic_long arrived;

/* All threads meet here before each connect; they spin, to leave at the same moment. */
static void meet(long number)
{
	atomic_fetch_add(&arrived, 1);
	for (long spun = 0; atomic_load(&arrived) < (number + 1) * threads; spun++)
		if (spun > 2000)
			sched_yield();
}

static void *work(void *arg)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	const struct linger reset = {1, 0};
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET((long)arg % get_nprocs(), &cpus);
	pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus);
	for (long i = 0; i < count; i++) {
		int sock = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

		if (sock < 0)
			exit(2);
		setsockopt(sock, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		to.sin_addr.s_addr = htonl(first + i / 65535);
		to.sin_port = htons(1 + i % 65535);
		meet(i);
		connect(sock, (void *)&to, sizeof(to));
		close(sock);
	}
	return NULL;
}

int main(int argc, char *argv[])
{
	pthread_t others[16];

	if (argc < 3 || inet_pton(AF_INET, argv[2], &first) != 1)
		return 1;
	first = ntohl(first);
	count = atol(argv[1]);
	if (argc > 3)
		threads = atol(argv[3]);
	if (threads < 1 || threads > 16)
		return 1;
	for (long i = 1; i < threads; i++)
		if (pthread_create(&others[i], NULL, work, (void *)i))
			return 3;
	work(NULL);
	for (long i = 1; i < threads; i++)
		pthread_join(others[i], NULL);
	return 0;
}
