/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connects THREADS CONNECTS ADDRESS PORT [anywhere]: each thread makes that many nonblocking
 * connects, one after another, at full speed, and closes each at once. The threads take turns on
 * the CPUs, each bound to one, or run anywhere; at most 256 exist at a time, and those start
 * together.
 * Prints how many connects were made and in how many seconds.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#define AT_A_TIME 256

static struct sockaddr_storage to;
static socklen_t length;
static int connects, anywhere;
static pthread_barrier_t gate;

static void *work(void *arg)
{
	const struct linger reset = {1, 0};
	long number = (long)arg;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(number % get_nprocs(), &cpus);
	if (!anywhere)
		pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus);
	pthread_barrier_wait(&gate);
	for (int i = 0; i < connects; i++) {
		int sock = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);

		if (sock < 0)
			exit(2);
		setsockopt(sock, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		connect(sock, (void *)&to, length);
		close(sock);
	}
	return NULL;
}

static void start(int count, int first)
{
	pthread_t threads[AT_A_TIME];
	pthread_attr_t attributes;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 65536);
	pthread_barrier_init(&gate, NULL, count);
	for (int i = 0; i < count; i++)
		if (pthread_create(&threads[i], &attributes, work, (void *)(long)(first + i)))
			exit(3);
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&gate);
}

int main(int argc, char *argv[])
{
	struct sockaddr_in *four = (void *)&to;
	struct sockaddr_in6 *six = (void *)&to;
	struct timespec began, ended;
	int threads;

	if (argc != 5 && (argc != 6 || strcmp(argv[5], "anywhere") != 0))
		return 1;
	anywhere = argc == 6;
	threads = atoi(argv[1]);
	connects = atoi(argv[2]);
	if (inet_pton(AF_INET, argv[3], &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		length = sizeof(*four);
	} else {
		inet_pton(AF_INET6, argv[3], &six->sin6_addr);
		six->sin6_family = AF_INET6;
		length = sizeof(*six);
	}
	four->sin_port = htons(atoi(argv[4])); /* at the same place in both */
	clock_gettime(CLOCK_MONOTONIC, &began);
	for (int done = 0; done < threads; done += AT_A_TIME)
		start(threads - done < AT_A_TIME ? threads - done : AT_A_TIME, done);
	clock_gettime(CLOCK_MONOTONIC, &ended);
	printf("%ld %.3f\n", (long)threads * connects,
	       ended.tv_sec - began.tv_sec + (ended.tv_nsec - began.tv_nsec) / 1e9);
	return 0;
}
