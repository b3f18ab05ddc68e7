/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pending COUNT ADDRESS: that many nonblocking connects, each to another port of the IPv4 address,
 * where nobody answers; all stay open. Prints how many are under way, and waits to be killed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char *argv[])
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct rlimit files;
	int count, made = 0;

	if (argc != 3 || inet_pton(AF_INET, argv[2], &to.sin_addr) != 1)
		return 1;
	count = atoi(argv[1]);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	for (int i = 0; i < count; i++) {
		int sock = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

		if (sock < 0)
			return 2;
		to.sin_port = htons(1 + i);
		made += connect(sock, (void *)&to, sizeof(to)) && errno == EINPROGRESS;
	}
	printf("%d\n", made);
	fflush(stdout);
	pause();
	return 0;
}
