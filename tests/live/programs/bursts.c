/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bursts ADDRESS PORT FIRST COUNT: listens there and connects to itself at full speed, one connect
 * after another, from the local ports FIRST to FIRST + COUNT - 1 in turn, until a signal (SIGTERM)
 * ends it. So no connect is open for long, and its local port tells which process made it. Every
 * fourth is nonblocking. Prints how many succeeded and how many failed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static volatile sig_atomic_t ended;

static void end(int number)
{
	ended = number;
}

static int socket_at(const struct sockaddr_in *at, int more)
{
	int sock = socket(AF_INET, SOCK_STREAM | more, 0);
	const struct linger reset = {1, 0};
	const int yes = 1;

	if (sock < 0 || setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) ||
	    setsockopt(sock, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) ||
	    bind(sock, (const void *)at, sizeof(*at)))
		exit(2);
	return sock;
}

static int connected(int sock, const struct sockaddr_in *to)
{
	struct pollfd answer = {.fd = sock, .events = POLLOUT};
	socklen_t length = sizeof(int);
	int error = 0;

	if (connect(sock, (const void *)to, sizeof(*to)) == 0)
		return 1;
	if (errno != EINPROGRESS)
		return 0;
	poll(&answer, 1, 5000);
	return getsockopt(sock, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0;
}

int main(int argc, char *argv[])
{
	struct sockaddr_in to = {.sin_family = AF_INET}, from = to;
	long good = 0, bad = 0;
	int first, count, listener;

	if (argc != 5 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1)
		return 1;
	to.sin_port = htons(atoi(argv[2]));
	first = atoi(argv[3]);
	count = atoi(argv[4]);
	signal(SIGTERM, end);
	listener = socket_at(&to, 0);
	if (listen(listener, 16))
		return 3;
	for (long i = 0; !ended; i++) {
		int sock;

		from.sin_port = htons(first + i % count);
		sock = socket_at(&from, i % 4 ? 0 : SOCK_NONBLOCK);
		if (connected(sock, &to)) {
			good++;
			/* What nobody accepts fills the queue, and then SYNs get lost. */
			close(accept(listener, NULL, NULL));
		} else {
			bad++;
		}
		close(sock);
	}
	printf("%ld %ld\n", good, bad);
	return 0;
}
