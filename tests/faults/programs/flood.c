/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flood FIRST COUNT SECONDS: a hostile name server at 127.0.0.1:53 sends answers that nobody asked
 * for to one that takes them, at full speed: the first is numbered FIRST, each has a name and an
 * address of its own. Ends after COUNT answers (0: no limit) or SECONDS. Prints how many answers
 * were taken, in how many seconds, and the processor time of both ends.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Answers sent before one must have been taken: so none is dropped on the way. */
#define AHEAD 256

static int from, to;

static double now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static int bound(int port, struct sockaddr_in *at)
{
	socklen_t length = sizeof(*at);
	int sock = socket(AF_INET, SOCK_DGRAM, 0), room = 8 << 20;

	*at = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(sock, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	if (sock < 0 || bind(sock, (void *)at, sizeof(*at)) ||
	    getsockname(sock, (void *)at, &length))
		exit(2);
	return sock;
}

/* An answer with one address, RFC 1035 4.1: nNNNNNNNN.flood.test has 11.x.y.z. */
static size_t make(uint8_t *out, uint32_t number)
{
	static const uint8_t head[] = {0, 1, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0, 9};
	static const uint8_t middle[] = "\5flood\4test\0\0\1\0\1\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4";
	uint8_t *at = out;
	uint32_t address = htonl(11u << 24 | (number & 0xffffff));

	memcpy(at, head, sizeof(head));
	at += sizeof(head);
	at += sprintf((char *)at, "n%08u", number % 100000000);
	memcpy(at, middle, sizeof(middle) - 1);
	at += sizeof(middle) - 1;
	memcpy(at, &address, 4);
	return (size_t)(at + 4 - out);
}

static void take(unsigned int count)
{
	static struct mmsghdr all[AHEAD];
	static struct iovec parts[AHEAD];
	static uint8_t rooms[AHEAD][128];
	unsigned int taken = 0;

	for (int i = 0; i < AHEAD; i++) {
		parts[i] = (struct iovec){rooms[i], sizeof(rooms[i])};
		all[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
	}
	while (taken < count) {
		int got = recvmmsg(to, all, count - taken, 0, NULL);

		if (got <= 0)
			exit(3);
		taken += (unsigned int)got;
	}
}

static void send_some(uint32_t first, unsigned int count)
{
	static struct mmsghdr all[AHEAD];
	static struct iovec parts[AHEAD];
	static uint8_t texts[AHEAD][128];
	unsigned int sent = 0;

	for (unsigned int i = 0; i < count; i++) {
		parts[i] = (struct iovec){texts[i], make(texts[i], first + i)};
		all[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
	}
	while (sent < count) {
		int now_sent = sendmmsg(from, all + sent, count - sent, 0);

		if (now_sent <= 0)
			exit(4);
		sent += (unsigned int)now_sent;
	}
}

int main(int argc, char *argv[])
{
	struct sockaddr_in server, client;
	struct rusage used;
	unsigned long done = 0, first, count;
	double began = now(), seconds;

	if (argc != 4)
		return 1;
	first = strtoul(argv[1], NULL, 10);
	count = strtoul(argv[2], NULL, 10);
	seconds = atof(argv[3]);
	from = bound(53, &server);
	to = bound(0, &client);
	if (connect(from, (void *)&client, sizeof(client)))
		return 5;
	while ((!count || done < count) && now() - began < seconds) {
		unsigned int some =
			count && count - done < AHEAD ? (unsigned int)(count - done) : AHEAD;

		send_some((uint32_t)(first + done), some);
		take(some);
		done += some;
	}
	getrusage(RUSAGE_SELF, &used);
	printf("%lu %.3f %.3f\n", done, now() - began,
	       (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
		       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
	return 0;
}
