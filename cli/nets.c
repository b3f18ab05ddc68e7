/* SPDX-License-Identifier: Apache-2.0 */
/* Networks as --daddr takes them. */
#include <string.h>
#include <arpa/inet.h>
#include "cli/table.h"

/* Bytes of the longest address, its NUL left out (INET6_ADDRSTRLEN). */
#define ADDRESS_LENGTH (INET6_ADDRSTRLEN - 1)

/* The decimal number of bits behind the slash. */
static bool parse_prefix(const char *text, size_t length, unsigned int most, uint8_t *prefix)
{
	unsigned int sum = 0;

	if (length < 1 || length > 3)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		sum = sum * 10 + (unsigned int)(text[i] - '0');
	}
	if (sum > most)
		return false;
	*prefix = (uint8_t)sum;
	return true;
}

/* So that 10.0.0.5/8 and 10.0.0.0/8 are one net, and the probe need not mask both sides. */
static void clear_host_bits(struct address_net *net)
{
	for (unsigned int bit = net->prefix; bit < 8 * sizeof(net->address); bit++)
		net->address[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
}

/* A mapped connect is shown as IPv4 (RFC 4291, 2.5.5.2), so a net of such is meant as IPv4. */
static void unmap(struct address_net *net)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (net->family != 6 || net->prefix < 96 || memcmp(net->address, mapped, 12) != 0)
		return;
	memmove(net->address, net->address + 12, 4);
	memset(net->address + 4, 0, 12);
	net->family = 4;
	net->prefix = (uint8_t)(net->prefix - 96);
}

/* "[!]ADDRESS[/PREFIX]", addresses as inet_pton(3) takes them. */
static bool parse_net(const char *text, size_t length, struct address_net *net)
{
	char address[ADDRESS_LENGTH + 1];
	const char *slash;
	size_t end;

	*net = (struct address_net){.exclude = length && text[0] == '!'};
	text += net->exclude;
	length -= net->exclude;
	slash = memchr(text, '/', length);
	end = slash ? (size_t)(slash - text) : length;
	if (end > ADDRESS_LENGTH)
		return false;
	memcpy(address, text, end);
	address[end] = '\0';
	if (inet_pton(AF_INET, address, net->address) == 1) {
		net->family = 4;
		net->prefix = 32;
	} else if (inet_pton(AF_INET6, address, net->address) == 1) {
		net->family = 6;
		net->prefix = 128;
	} else {
		return false;
	}
	if (slash && !parse_prefix(slash + 1, length - end - 1, net->prefix, &net->prefix))
		return false;
	unmap(net);
	clear_host_bits(net);
	return true;
}

static bool same_net(const struct address_net *a, const struct address_net *b)
{
	return a->family == b->family && a->prefix == b->prefix && a->exclude == b->exclude &&
	       memcmp(a->address, b->address, sizeof(a->address)) == 0;
}

/* Append what is not there yet. Returns false when there is no room. */
static bool add_net(struct net_list *list, const struct address_net *net)
{
	for (size_t i = 0; i < list->count; i++) {
		if (same_net(&list->net[i], net))
			return true;
	}
	if (list->count == NETS_MAX)
		return false;
	list->net[list->count++] = *net;
	return true;
}

int read_nets(const struct option_row *row, void *field, const char *value,
	      const struct complaint *complaint)
{
	struct net_list *list = field;
	const char *element = value;
	char quoted[QUOTED_SIZE];

	list->count = 0;
	for (;;) {
		size_t length = strcspn(element, ",");
		struct address_net net;

		if (!parse_net(element, length, &net))
			return complain(complaint,
					"--%s: '%s' is no network such as 10.0.0.0/8 or ::1; "
					"give %s",
					row->name, quote(quoted, element, length), row->argument);
		if (!add_net(list, &net))
			return complain(complaint,
					"--%s: the list has more than %d different networks; "
					"that is the most",
					row->name, NETS_MAX);
		if (!element[length])
			return 0;
		element += length + 1;
	}
}
