/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uring ADDRESS PORT...: connect to each through io_uring, one after another. Prints, for
 * each, its result and its local port; "unsupported WHY" where the kernel has no io_uring.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static socklen_t address_of(struct sockaddr_storage *storage, const char *address, int port)
{
	struct sockaddr_in *four = (void *)storage;
	struct sockaddr_in6 *six = (void *)storage;

	memset(storage, 0, sizeof(*storage));
	if (inet_pton(AF_INET, address, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons(port);
		return sizeof(*four);
	}
	inet_pton(AF_INET6, address, &six->sin6_addr);
	six->sin6_family = AF_INET6;
	six->sin6_port = htons(port);
	return sizeof(*six);
}

int main(int argc, char *argv[])
{
	struct sockaddr_storage to, from;
	struct io_uring_cqe *done;
	struct io_uring ring;
	int error = io_uring_queue_init(4, &ring, 0);

	if (error) {
		printf("unsupported %s\n", strerror(-error));
		return 0;
	}
	for (int i = 2; i < argc; i++) {
		socklen_t length = address_of(&to, argv[1], atoi(argv[i])), size = sizeof(from);
		int sock = socket(to.ss_family, SOCK_STREAM, 0);

		io_uring_prep_connect(io_uring_get_sqe(&ring), sock, (void *)&to, length);
		io_uring_submit(&ring);
		if (io_uring_wait_cqe(&ring, &done) || getsockname(sock, (void *)&from, &size))
			return 1;
		printf("%d %d\n", done->res, ntohs(((struct sockaddr_in *)&from)->sin_port));
		io_uring_cqe_seen(&ring, done);
		close(sock);
	}
	return 0;
}
