/* SPDX-License-Identifier: Apache-2.0 */
/*
 * storm SECONDS PORT: two threads, each on a CPU of its own where there are two, make nonblocking
 * connects to 127.0.0.1 at full speed for so long. Prints how many were made.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

static struct sockaddr_in to = {.sin_family = AF_INET};
static atomic_long made;
static double end;

static double now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static void *work(void *arg)
{
	const struct linger reset = {1, 0};
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET((long)arg % get_nprocs(), &cpus);
	pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus);
	for (long i = 0; i % 64 || now() < end; i++) {
		int sock = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

		if (sock < 0)
			exit(2);
		setsockopt(sock, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		connect(sock, (void *)&to, sizeof(to));
		atomic_fetch_add_explicit(&made, 1, memory_order_relaxed);
		close(sock);
	}
	return NULL;
}

int main(int argc, char *argv[])
{
	pthread_t threads[2];

	if (argc != 3)
		return 1;
	end = now() + atof(argv[1]);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons((uint16_t)atoi(argv[2]));
	for (long i = 0; i < 2; i++)
		if (pthread_create(&threads[i], NULL, work, (void *)i))
			return 3;
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	printf("%ld\n", (long)made);
	return 0;
}
