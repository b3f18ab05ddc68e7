/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk over argv. Not getopt_long(3): that one keeps its place in global
 * variables, listens to POSIXLY_CORRECT and words its own errors.
 */
#include <string.h>
#include "cli/table.h"

struct walk {
	struct options *options;
	struct complaint complaint;
	char *const *next; /* argument to look at */
	char *const *end;
};

static int apply(struct walk *walk, const struct option_row *row, const char *value)
{
	char *options = (char *)walk->options;
	int wrong = row->read(row, options + row->field, value, &walk->complaint);

	if (!wrong && row->implies)
		*(bool *)(options + row->implies) = true;
	return wrong;
}

/* An option that takes a value; joined_on is what stood in the same argument, or NULL. */
static int apply_with_value(struct walk *walk, const struct option_row *row, const char *joined_on)
{
	if (joined_on)
		return apply(walk, row, joined_on);
	if (walk->next == walk->end)
		return complain(&walk->complaint, "--%s needs a value; give %s", row->name,
				row->argument);
	return apply(walk, row, *walk->next++);
}

static int complain_ambiguous(struct walk *walk, const char *name, size_t length)
{
	char quoted[QUOTED_SIZE], list[96] = "";
	size_t used = 0;

	for (size_t i = 0; i < option_row_count && used < sizeof(list); i++) {
		if (strncmp(option_rows[i].name, name, length) == 0)
			used += (size_t)snprintf(list + used, sizeof(list) - used, "%s--%s",
						 used ? ", " : "", option_rows[i].name);
	}
	if (used >= sizeof(list))
		strcpy(list + sizeof(list) - sizeof("..."), "...");
	return complain(&walk->complaint, "option '--%s' is ambiguous: %s",
			quote(quoted, name, length), list);
}

/*
 * The one row that name means, whole or abbreviated; else NULL. Where it could mean
 * several, the only one that bcc's tool has too is meant: a script that calls
 * `tcpconnect --co` must go on counting.
 */
static const struct option_row *row_of_name(const char *name, size_t length, bool *ambiguous)
{
	const struct option_row *found = NULL, *bcc = NULL;
	unsigned int founds = 0, bccs = 0;

	for (size_t i = 0; length && i < option_row_count; i++) {
		const struct option_row *row = &option_rows[i];

		if (strncmp(row->name, name, length) != 0)
			continue;
		if (!row->name[length])
			return row;
		found = row;
		founds++;
		if (row->bcc) {
			bcc = row;
			bccs++;
		}
	}
	*ambiguous = founds > 1;
	if (founds == 1)
		return found;
	return bccs == 1 ? bcc : NULL;
}

/* argument is "--name" or "--name=value". */
static int read_long(struct walk *walk, const char *argument)
{
	const struct option_row *found;
	const char *name = argument + 2;
	size_t length = strcspn(name, "=");
	const char *joined_on = name[length] ? name + length + 1 : NULL;
	bool ambiguous = false;
	char quoted[QUOTED_SIZE];

	found = row_of_name(name, length, &ambiguous);
	if (!found && ambiguous)
		return complain_ambiguous(walk, name, length);
	if (!found)
		return complain(&walk->complaint, "unknown option '--%s'; see --help",
				quote(quoted, name, length));
	if (found->argument)
		return apply_with_value(walk, found, joined_on);
	if (joined_on)
		return complain(&walk->complaint, "--%s takes no value", found->name);
	return apply(walk, found, NULL);
}

static const struct option_row *row_of_letter(char letter)
{
	for (size_t i = 0; i < option_row_count; i++) {
		if (option_rows[i].letter == letter)
			return &option_rows[i];
	}
	return NULL;
}

static bool only_asks(const struct options *options)
{
	return options->action == ACTION_HELP || options->action == ACTION_VERSION;
}

/* The value behind an option's letter, or NULL: "-p1", and "-p=1", as bcc's tool takes it. */
static const char *joined_value(const char *rest)
{
	return *rest ? rest + (*rest == '=') : NULL;
}

/* argument is "-abc": options without value, the last one perhaps with its value joined on. */
static int read_bundle(struct walk *walk, const char *argument)
{
	char quoted[QUOTED_SIZE];

	for (const char *letter = argument + 1; *letter; letter++) {
		const struct option_row *row = row_of_letter(*letter);
		int wrong;

		if (!row)
			return complain(&walk->complaint, "unknown option '-%s'; see --help",
					quote(quoted, letter, 1));
		if (row->argument)
			return apply_with_value(walk, row, joined_value(letter + 1));
		wrong = apply(walk, row, NULL);
		if (wrong || only_asks(walk->options))
			return wrong;
	}
	return 0;
}

/* What no single option can know. What was not given is 0. */
static int check_together(const struct walk *walk)
{
	const struct options *options = walk->options;

	/* bcc's words, which scripts may know. */
	if (options->count && options->dns)
		return complain(&walk->complaint,
				"Error: you may not specify -d/--dns with -c/--count.");
	if (options->interval_sec && !options->count)
		return complain(&walk->complaint,
				"--interval works with --count only; add -c, or give --duration "
				"to end");
	if (options->dns_cache && !options->dns)
		return complain(&walk->complaint, "--dns-cache works with --dns only; add -d");
	if (options->dns_ttl_sec && !options->dns)
		return complain(&walk->complaint, "--dns-ttl works with --dns only; add -d");
	/* The kernel counts; nobody sees the Nth connect go by. */
	if (options->lines && options->count)
		return complain(&walk->complaint,
				"--lines does not work with --count; give --duration");
	return 0;
}

static int read_all(struct walk *walk)
{
	bool options_ended = false;
	char quoted[QUOTED_SIZE];

	while (walk->next < walk->end) {
		const char *argument = *walk->next++;
		int wrong;

		if (options_ended || argument[0] != '-' || !argument[1])
			return complain(&walk->complaint, "stray argument '%s'; see --help",
					quote(quoted, argument, strlen(argument)));
		if (argument[1] != '-') {
			wrong = read_bundle(walk, argument);
		} else if (argument[2]) {
			wrong = read_long(walk, argument);
		} else {
			options_ended = true;
			continue;
		}
		if (wrong || only_asks(walk->options))
			return wrong;
	}
	return check_together(walk);
}

int options_parse(struct options *options, int argc, char *const argv[], char *message,
		  size_t message_size)
{
	struct walk walk = {
		.options = options,
		.complaint = {message, message_size},
		.next = argc > 0 ? argv + 1 : argv,
		.end = argv + argc,
	};
	int wrong;

	if (message_size)
		message[0] = '\0';
	*options = (struct options){0};
	wrong = read_all(&walk);
	if (!options->dns_cache)
		options->dns_cache = DNS_CACHE_DEFAULT;
	if (!options->dns_ttl_sec)
		options->dns_ttl_sec = DNS_TTL_DEFAULT;
	return wrong;
}
