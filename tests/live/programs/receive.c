/* SPDX-License-Identifier: Apache-2.0 */
/*
 * receive WAY SERVER QUERY ADDRESS: send the query (a DNS message in hexadecimal) to the
 * server's port 53, take the answer by recvmmsg(2) (WAY recvmmsg) or io_uring (WAY uring), and
 * connect to port 80 of ADDRESS (IPv4). "unsupported WHY" where the kernel has no io_uring.
 */
#include <arpa/inet.h>
#include <liburing.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static unsigned char answer[65536];

static int by_recvmmsg(int sock)
{
	struct iovec buffers[2] = {{answer, 32768}, {answer + 32768, 32768}};
	struct mmsghdr messages[2] = {
		{.msg_hdr = {.msg_iov = &buffers[0], .msg_iovlen = 1}},
		{.msg_hdr = {.msg_iov = &buffers[1], .msg_iovlen = 1}},
	};

	return recvmmsg(sock, messages, 2, MSG_WAITFORONE, NULL) == 1 ? (int)messages[0].msg_len
								      : -1;
}

static int by_uring(int sock)
{
	struct io_uring_cqe *done;
	struct io_uring ring;
	int error = io_uring_queue_init(4, &ring, 0);

	if (error) {
		printf("unsupported %s\n", strerror(-error));
		return 0;
	}
	io_uring_prep_recv(io_uring_get_sqe(&ring), sock, answer, sizeof(answer), 0);
	io_uring_submit(&ring);
	return io_uring_wait_cqe(&ring, &done) ? -1 : done->res;
}

int main(int argc, char *argv[])
{
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(53)};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(53)};
	unsigned char query[512];
	size_t length = 0;
	int sock, got;

	if (argc != 5)
		return 1;
	while (sscanf(argv[3] + 2 * length, "%2hhx", &query[length]) == 1)
		length++;
	if (inet_pton(AF_INET6, argv[2], &six.sin6_addr) == 1) {
		sock = socket(AF_INET6, SOCK_DGRAM, 0);
		connect(sock, (void *)&six, sizeof(six));
	} else {
		sock = socket(AF_INET, SOCK_DGRAM, 0);
		inet_pton(AF_INET, argv[2], &four.sin_addr);
		connect(sock, (void *)&four, sizeof(four));
	}
	if (send(sock, query, length, 0) < 0)
		return 2;
	got = strcmp(argv[1], "uring") == 0 ? by_uring(sock) : by_recvmmsg(sock);
	if (got < 12)
		return got ? 3 : 0;

	sock = socket(AF_INET, SOCK_STREAM, 0);
	inet_pton(AF_INET, argv[4], &four.sin_addr);
	four.sin_port = htons(80);
	connect(sock, (void *)&four, sizeof(four));
	return 0;
}
