/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parser of options. The input's first byte is the room for the message, each line behind it
 * an argument. What is taken holds all that cli/options.h promises, and what it says, written
 * down as arguments again, is taken as the same.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include "cli/options.h"
#include "require.h"

#define ARGUMENTS_MAX 40
#define INPUT_MAX     4096
/* cli/options.h: bytes that hold any message, its NUL included. */
#define MESSAGE_ROOM 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An argument each in memory of its own size, so that a byte read beyond it is seen. */
static int read_arguments(char **arguments, const uint8_t *data, size_t size)
{
	const char *at = (const char *)data, *end = at + size;
	int count = 0;

	arguments[count++] = strdup("tcpconnect");
	while (at < end && count < ARGUMENTS_MAX) {
		const char *line = memchr(at, '\n', (size_t)(end - at));
		size_t length = (size_t)((line ? line : end) - at);

		arguments[count++] = strndup(at, length);
		at += length + (line != NULL);
	}
	arguments[count] = NULL;
	return count;
}

static void check_list(const struct number_list *list, uint32_t least, uint32_t most)
{
	require(list->count <= FILTER_MAX);
	for (size_t i = 0; i < list->count; i++) {
		require(list->value[i] >= least && list->value[i] <= most);
		require(!i || list->value[i - 1] < list->value[i]);
	}
}

static bool is_mapped(const struct address_net *net)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return net->family == 6 && net->prefix >= 96 && memcmp(net->address, mapped, 12) == 0;
}

static void check_nets(const struct net_list *list)
{
	require(list->count <= NETS_MAX);
	for (size_t i = 0; i < list->count; i++) {
		const struct address_net *net = &list->net[i];

		require(net->family == 4 || net->family == 6);
		require(net->prefix <= (net->family == 4 ? 32 : 128) && !is_mapped(net));
		for (unsigned int bit = net->prefix; bit < 128; bit++)
			require(!(net->address[bit / 8] & 0x80 >> bit % 8));
		for (size_t j = 0; j < i; j++)
			require(memcmp(&list->net[j], net, sizeof(*net)) != 0);
	}
}

/* A text is the tail of an argument: not empty, no copy. */
static void check_text(const char *text, char *const *arguments)
{
	if (!text)
		return;
	require(*text);
	for (; *arguments; arguments++) {
		if (text >= *arguments && text <= *arguments + strlen(*arguments))
			return;
	}
	abort();
}

static void check_promises(const struct options *options, char *const *arguments)
{
	const char *name_end = memchr(options->comm, '\0', COMM_ROOM);

	require(options->action >= ACTION_TRACE && options->action <= ACTION_CHECK);
	require(options->family == 0 || options->family == 4 || options->family == 6);
	check_list(&options->pids, 1, 4194304);
	check_list(&options->ports, 1, 65535);
	check_list(&options->uids, 0, UINT32_MAX - 1);
	check_nets(&options->daddrs);
	require(name_end != NULL);
	for (; name_end < options->comm + COMM_ROOM; name_end++)
		require(!*name_end);
	require(!options->netns.path || !options->netns.pid);
	require(options->netns.pid <= 4194304);
	check_text(options->netns.path, arguments);
	check_text(options->cgroup, arguments);
	check_text(options->cgroupmap, arguments);
	check_text(options->mntnsmap, arguments);
	check_text(options->cache_dir, arguments);
	check_text(options->user, arguments);
	require(options->slow_ns <= UINT64_C(86400000) * 1000000);
	require(options->result || (!options->failed && !options->slow_ns));
	require(options->interval_sec <= 31536000 && options->duration_sec <= 31536000);
	require(options->color <= COLOR_NEVER && options->probe <= PROBE_TRACEPOINT);
	require(options->types <= TYPES_HEADERS);
	require(options->pages <= 65536 && !(options->pages & (options->pages - 1)));
	require(options->dns_cache >= 1 && options->dns_cache <= 10000000);
	require(options->dns_ttl_sec >= 1 && options->dns_ttl_sec <= 31536000);
	/* --help and --version end the parsing before what goes together is looked at. */
	if (options->action == ACTION_HELP || options->action == ACTION_VERSION)
		return;
	require(!options->count || (!options->dns && !options->lines));
	require(options->count || !options->interval_sec);
}

/* The options as arguments, by the long names, each value joined on. */
struct written {
	/* More than all lists filled and INPUT_MAX bytes of texts take. */
	char text[24576], *at;
	char *arguments[48];
	int count;
};

__attribute__((format(printf, 2, 3))) static void put(struct written *written, const char *format,
						      ...)
{
	size_t room = (size_t)(written->text + sizeof(written->text) - written->at);
	va_list values;
	int length;

	va_start(values, format);
	length = vsnprintf(written->at, room, format, values);
	va_end(values);
	require(length >= 0 && (size_t)length < room);
	written->at += length;
}

static void begin(struct written *written, const char *name)
{
	require((size_t)written->count < sizeof(written->arguments) / sizeof(char *) - 1);
	if (written->count)
		written->at++; /* the NUL of the one before */
	written->arguments[written->count++] = written->at;
	put(written, "--%s", name);
}

static void write_flag(struct written *written, const char *name, bool is_set)
{
	if (is_set)
		begin(written, name);
}

static void write_number(struct written *written, const char *name, uint32_t number)
{
	if (!number)
		return;
	begin(written, name);
	put(written, "=%u", number);
}

static void write_text(struct written *written, const char *name, const char *text)
{
	if (!text || !*text)
		return;
	begin(written, name);
	put(written, "=%s", text);
}

static void write_list(struct written *written, const char *name, const struct number_list *list)
{
	if (!list->count)
		return;
	begin(written, name);
	for (size_t i = 0; i < list->count; i++)
		put(written, "%c%u", i ? ',' : '=', list->value[i]);
}

static void write_nets(struct written *written, const struct net_list *list)
{
	char address[INET6_ADDRSTRLEN];

	if (!list->count)
		return;
	begin(written, "daddr");
	for (size_t i = 0; i < list->count; i++) {
		const struct address_net *net = &list->net[i];

		inet_ntop(net->family == 4 ? AF_INET : AF_INET6, net->address, address,
			  sizeof(address));
		put(written, "%c%s%s/%u", i ? ',' : '=', net->exclude ? "!" : "", address,
		    net->prefix);
	}
}

static void write_all(struct written *written, const struct options *options)
{
	static const char *const actions[] = {NULL, "help", "version", "ebpf", "check"};
	static const char *const probes[] = {"auto", "kprobe", "fentry", "tracepoint"};
	static const char *const types[] = {"auto", "btf", "headers"};
	static const char *const colors[] = {"auto", "always", "never"};

	written->at = written->text;
	written->count = 0;
	begin(written, "tcpconnect"); /* argv[0] */
	if (options->dns) {           /* without it, these are the defaults, and refused */
		write_number(written, "dns-cache", options->dns_cache);
		write_number(written, "dns-ttl", options->dns_ttl_sec);
	}
	write_flag(written, "timestamp", options->timestamp);
	write_flag(written, "time", options->time);
	write_flag(written, "lport", options->lport);
	write_flag(written, "print-uid", options->print_uid);
	write_flag(written, "count", options->count);
	write_flag(written, "dns", options->dns);
	write_flag(written, "verbose", options->verbose);
	write_flag(written, "result", options->result);
	write_flag(written, "failed", options->failed);
	write_flag(written, "json", options->json);
	write_flag(written, "no-cache", options->no_cache);
	write_flag(written, "no-sandbox", options->no_sandbox);
	write_flag(written, "ipv4", options->family == 4);
	write_flag(written, "ipv6", options->family == 6);
	write_list(written, "pid", &options->pids);
	write_list(written, "port", &options->ports);
	write_list(written, "uid", &options->uids);
	write_nets(written, &options->daddrs);
	write_text(written, "comm", options->comm);
	write_text(written, "netns", options->netns.path);
	write_number(written, "netns", options->netns.pid);
	write_text(written, "cgroup", options->cgroup);
	write_text(written, "cgroupmap", options->cgroupmap);
	write_text(written, "mntnsmap", options->mntnsmap);
	write_text(written, "cache-dir", options->cache_dir);
	write_text(written, "user", options->user);
	if (options->slow_ns) {
		begin(written, "slow");
		put(written, "=%u.%06u", (uint32_t)(options->slow_ns / 1000000),
		    (uint32_t)(options->slow_ns % 1000000));
	}
	write_number(written, "interval", options->interval_sec);
	write_number(written, "duration", options->duration_sec);
	write_number(written, "lines", options->lines);
	write_number(written, "pages", options->pages);
	write_text(written, "color", colors[options->color]);
	write_text(written, "probe", probes[options->probe]);
	write_text(written, "types", types[options->types]);
	if (options->action)
		begin(written, actions[options->action]);
	written->arguments[written->count] = NULL;
}

/* Does the text that was written from them mean these options? Compared as texts. */
static void check_again(const struct options *options)
{
	static struct written first, second;
	struct options again;
	char message[MESSAGE_ROOM];

	write_all(&first, options);
	require(options_parse(&again, first.count, first.arguments, message, sizeof(message)) == 0);
	write_all(&second, &again);
	require(first.count == second.count);
	require(first.at - first.text == second.at - second.text);
	require(memcmp(first.text, second.text, (size_t)(first.at - first.text)) == 0);
}

static void check_complaint(const char *whole, const char *cut, size_t room)
{
	size_t length = strlen(whole);

	require(length > 0 && length < MESSAGE_ROOM);
	for (size_t i = 0; i < length; i++)
		require(whole[i] >= 0x20 && whole[i] < 0x7f);
	if (!room)
		return;
	require(strlen(cut) == (length < room ? length : room - 1));
	require(memcmp(whole, cut, strlen(cut)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *arguments[ARGUMENTS_MAX + 1], *message;
	char whole[4 * MESSAGE_ROOM];
	struct options options;
	size_t room;
	int count, wrong;

	if (!size || size > INPUT_MAX)
		return 0;
	room = data[0];
	message = malloc(room);
	count = read_arguments(arguments, data + 1, size - 1);
	wrong = options_parse(&options, count, arguments, whole, sizeof(whole));
	require(wrong == 0 || wrong == OPTIONS_WRONG);
	if (wrong) {
		require(options_parse(&options, count, arguments, message, room) == wrong);
		check_complaint(whole, message, room);
	} else {
		check_promises(&options, arguments);
		check_again(&options);
	}
	free(message);
	while (count)
		free(arguments[--count]);
	return 0;
}
