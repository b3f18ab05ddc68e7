/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "cli/table.h"

#define WIDTH       80
#define HELP_COLUMN 30

static const char *const headings[GROUP_COUNT] = {
	[GROUP_FILTER] = "Filter, in the kernel",
	[GROUP_SHOW] = "Show",
	[GROUP_MACHINE] = "Show, for machines",
	[GROUP_END] = "Stop by itself",
	[GROUP_HOW] = "Tune",
	[GROUP_ASK] = "Print and exit",
};

static const struct {
	const char *command, *meaning;
} examples[] = {
	{"tcpconnect", "every TCP connect on this host"},
	{"tcpconnect -tLU", "with time, local port and user"},
	{"tcpconnect -d", "with the name that was looked up for the address"},
	{"tcpconnect -p 181,182", "two processes"},
	{"tcpconnect -P 80,443 -4", "web connects over IPv4"},
	{"tcpconnect -Uu1000", "what user 1000 does, UID shown"},
	{"tcpconnect -Td --slow 250", "what took 250 ms or more, and how it ended"},
	{"tcpconnect -F --daddr ::1", "what failed to connect to ::1"},
	{"tcpconnect -c", "count, and show the table on Ctrl-C"},
	{"tcpconnect -c -i 10 -D 60", "count for a minute, a table every 10 seconds"},
	{"tcpconnect -jrd", "each connect with outcome and name, as JSON lines"},
	{"tcpconnect --ebpf -P 80", "the program that the kernel would run"},
};

/* Print text, which starts at HELP_COLUMN of the current line, broken between words. */
static void print_wrapped(FILE *out, const char *text)
{
	size_t room = WIDTH - HELP_COLUMN;
	size_t used = 0;

	while (*text) {
		size_t word = strcspn(text, " ");

		if (used && used + 1 + word > room) {
			fprintf(out, "\n%*s", HELP_COLUMN, "");
			used = 0;
		}
		fprintf(out, "%s%.*s", used ? " " : "", (int)word, text);
		used += word + (used ? 1 : 0);
		text += word + (text[word] == ' ');
	}
	fputc('\n', out);
}

static void print_row(FILE *out, const struct option_row *row)
{
	char names[HELP_COLUMN + 1];
	char letter[] = "    ";

	if (row->letter) {
		letter[0] = '-';
		letter[1] = row->letter;
		letter[2] = ',';
	}
	snprintf(names, sizeof(names), "  %s--%s%s%s", letter, row->name, row->argument ? " " : "",
		 row->argument ? row->argument : "");
	fprintf(out, "%-*s", HELP_COLUMN, names);
	print_wrapped(out, row->help);
}

void options_usage(FILE *out)
{
	fputs("Usage: tcpconnect [OPTION]...\n"
	      "\n"
	      "Show each TCP connect that a process of this host attempts: who, from where, to\n"
	      "where. Traces all network namespaces, as root, until Ctrl-C.\n",
	      out);
	for (int group = 0; group < GROUP_COUNT; group++) {
		fprintf(out, "\n%s:\n", headings[group]);
		for (size_t i = 0; i < option_row_count; i++) {
			if (option_rows[i].group == (enum option_group)group)
				print_row(out, &option_rows[i]);
		}
	}
	fputs("\nOf an option given twice, the last value counts.\n\nExamples:\n", out);
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		fprintf(out, "  %-*s", HELP_COLUMN - 2, examples[i].command);
		print_wrapped(out, examples[i].meaning);
	}
}
