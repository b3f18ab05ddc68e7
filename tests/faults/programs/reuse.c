/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reuse COUNT PORT: so many processes, one after another, with 8 PIDs between them, which each
 * new one takes over from one before. Process number N has the name rN, is told that pN.reuse.test
 * is at 127.8.0.(N % 8), by an answer from 127.0.0.1:53, and connects there.
 * Prints how many were made, and how many of them had the PID of another.
 */
#include <arpa/inet.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SLOTS 8

static int server, port;

/* RFC 1035 4.1 */
static size_t make(uint8_t *out, const char *label, const uint8_t address[4])
{
	static const uint8_t head[] = {0, 1, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0};
	static const uint8_t middle[] = "\5reuse\4test\0\0\1\0\1\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4";
	size_t length = strlen(label);
	uint8_t *at = out;

	memcpy(at, head, sizeof(head));
	at += sizeof(head);
	*at++ = (uint8_t)length;
	memcpy(at, label, length);
	at += length;
	memcpy(at, middle, sizeof(middle) - 1);
	at += sizeof(middle) - 1;
	memcpy(at, address, 4);
	return (size_t)(at + 4 - out);
}

static void child(int number)
{
	const uint8_t address[4] = {127, 8, 0, (uint8_t)(number % SLOTS)};
	struct sockaddr_in me = {.sin_family = AF_INET}, to = {.sin_family = AF_INET};
	int udp = socket(AF_INET, SOCK_DGRAM, 0);
	int tcp = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	socklen_t length = sizeof(me);
	char label[16], comm[16];
	uint8_t message[128];
	size_t size;

	snprintf(label, sizeof(label), "p%d", number);
	snprintf(comm, sizeof(comm), "r%d", number);
	prctl(PR_SET_NAME, comm);
	me.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	size = make(message, label, address);
	memcpy(&to.sin_addr, address, 4);
	to.sin_port = htons((uint16_t)port);
	if (udp < 0 || tcp < 0 || bind(udp, (void *)&me, sizeof(me)) ||
	    getsockname(udp, (void *)&me, &length) ||
	    sendto(server, message, size, 0, (void *)&me, length) != (ssize_t)size ||
	    recv(udp, message, sizeof(message), 0) != (ssize_t)size)
		_exit(1);
	connect(tcp, (void *)&to, sizeof(to));
	_exit(0);
}

/* Fork with that PID, clone3(2); 0: any. */
static pid_t fork_as(pid_t wanted, int number)
{
	struct clone_args args = {.exit_signal = SIGCHLD};
	pid_t pid;

	if (wanted) {
		args.set_tid = (uint64_t)(uintptr_t)&wanted;
		args.set_tid_size = 1;
	}
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		child(number);
	return pid;
}

int main(int argc, char *argv[])
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(53)};
	pid_t pids[SLOTS] = {0};
	int count, taken_over = 0, status;

	if (argc != 3)
		return 1;
	count = atoi(argv[1]);
	port = atoi(argv[2]);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server = socket(AF_INET, SOCK_DGRAM, 0);
	if (server < 0 || bind(server, (void *)&at, sizeof(at)))
		return 2;
	for (int i = 0; i < count; i++) {
		pid_t *slot = &pids[i / SLOTS % SLOTS], pid = fork_as(*slot, i);

		if (pid < 0 && *slot) /* somebody else has it by now */
			pid = fork_as(0, i);
		else
			taken_over += *slot != 0;
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			return 3;
		*slot = pid;
	}
	printf("%d %d\n", count, taken_over);
	return 0;
}
