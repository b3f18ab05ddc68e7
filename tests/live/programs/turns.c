/* SPDX-License-Identifier: Apache-2.0 */
/*
 * turns COUNT: two threads, each on a CPU of its own, connect in turn, the one at once when the
 * other has; the destination ports of 127.0.0.1 count up from 1.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/sysinfo.h>
#include <unistd.h>

static atomic_int turn = 1;
static int count;

static void *work(void *arg)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int mine = (int)(long)arg;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(mine % get_nprocs(), &cpus);
	pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus);
	for (int now = mine; now <= count; now += 2) {
		int sock = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

		if (sock < 0)
			exit(2);
		to.sin_port = htons(now);
		while (atomic_load(&turn) != now)
			if (get_nprocs() < 2)
				sched_yield();
		connect(sock, (void *)&to, sizeof(to));
		atomic_store(&turn, now + 1);
		close(sock);
	}
	return NULL;
}

int main(int argc, char *argv[])
{
	pthread_t threads[2];

	count = argc == 2 ? atoi(argv[1]) : 0;
	for (long i = 0; i < 2; i++)
		if (pthread_create(&threads[i], NULL, work, (void *)(i + 1)))
			return 1;
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
