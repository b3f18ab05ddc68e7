/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trap COUNT: that many times, ask for another name, nNUMBER.trap.test, get 127.0.0.99 for it,
 * and connect there at once. Server and asker run on one CPU, the one that connects, told
 * through memory alone, on the other: so the answer is recorded by one CPU, the connect that
 * uses it microseconds later by the other, whether the receiving process or the network stack
 * is what is watched.
 * Prints the median of the time from the answer's end to the connect's start.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

static const struct sockaddr_in server = {
	.sin_family = AF_INET, .sin_port = 0x3500 /* 53 */, .sin_addr.s_addr = 0x0100007f};
static int count, listening;
static long *gaps;
static atomic_int answered, connected;
static struct timespec received;

static void pin(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu % get_nprocs(), &cpus);
	pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus);
}

/* Turns each query into its answer. */
static void *serve(void *arg)
{
	static const unsigned char rest[] = {0xc0, 12, 0, 1, 0,   1, 0, 0,
					     0,    60, 0, 4, 127, 0, 0, 99};
	unsigned char message[512];
	struct sockaddr_in from;

	pin(0);
	for (int i = 0; i < count; i++) {
		socklen_t size = sizeof(from);
		ssize_t length = recvfrom(listening, message, sizeof(message) - sizeof(rest), 0,
					  (void *)&from, &size);

		if (length < 12)
			exit(2);
		message[2] = 0x81;
		message[3] = 0x80;
		message[7] = 1;
		memcpy(message + length, rest, sizeof(rest));
		sendto(listening, message, length + sizeof(rest), 0, (void *)&from, size);
	}
	return arg;
}

static void *connector(void *arg)
{
	const struct sockaddr_in to = {.sin_family = AF_INET,
				       .sin_port = htons(80),
				       .sin_addr.s_addr = inet_addr("127.0.0.99")};

	pin(1);
	for (int i = 0; i < count; i++) {
		int sock = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		struct timespec now;

		if (sock < 0)
			exit(3);
		while (atomic_load_explicit(&answered, memory_order_acquire) <= i)
			if (get_nprocs() < 2)
				sched_yield();
		clock_gettime(CLOCK_MONOTONIC, &now);
		connect(sock, (void *)&to, sizeof(to));
		gaps[i] = (now.tv_sec - received.tv_sec) * 1000000000l + now.tv_nsec -
			  received.tv_nsec;
		close(sock);
		atomic_store(&connected, i + 1);
	}
	return arg;
}

static void ask(int sock, int number)
{
	unsigned char message[512] = {0x42, 0x42, 1, 0, 0, 1};
	int label = snprintf((char *)message + 13, 20, "n%d", number);

	message[12] = label;
	memcpy(message + 13 + label, "\4trap\4test\0\0\1\0\1", 15);
	send(sock, message, 13 + label + 15, 0);
	if (recv(sock, message, sizeof(message), 0) < 12)
		exit(4);
}

static int compare(const void *a, const void *b)
{
	long left = *(const long *)a, right = *(const long *)b;

	return (left > right) - (left < right);
}

int main(int argc, char *argv[])
{
	pthread_t server_thread, connector_thread;
	int sock = socket(AF_INET, SOCK_DGRAM, 0);

	count = argc == 2 ? atoi(argv[1]) : 0;
	gaps = calloc(count + 1, sizeof(*gaps));
	listening = socket(AF_INET, SOCK_DGRAM, 0);
	if (!gaps || bind(listening, (void *)&server, sizeof(server)) ||
	    connect(sock, (void *)&server, sizeof(server)))
		return 1;
	pin(0);
	pthread_create(&server_thread, NULL, serve, NULL);
	pthread_create(&connector_thread, NULL, connector, NULL);
	for (int i = 0; i < count; i++) {
		ask(sock, i);
		clock_gettime(CLOCK_MONOTONIC, &received);
		atomic_store_explicit(&answered, i + 1, memory_order_release);
		while (atomic_load(&connected) <= i)
			sched_yield();
	}
	pthread_join(server_thread, NULL);
	pthread_join(connector_thread, NULL);
	qsort(gaps, count, sizeof(*gaps), compare);
	printf("%ld ns from answer to connect in the median\n", gaps[count / 2]);
	return 0;
}
