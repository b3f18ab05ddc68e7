/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of options: one row says all there is to say about one option. Parsing
 * and --help are driven by it, and the tests hold the manual and the completions
 * against what --help prints from it. A new option is a new row here, and a field
 * in struct options.
 */
#ifndef TCPCONNECT_OPTION_TABLE_H
#define TCPCONNECT_OPTION_TABLE_H

#include <stddef.h>
#include <stdint.h>
#include "cli/options.h"

/* The headings of --help, in its order. */
enum option_group {
	GROUP_FILTER,
	GROUP_SHOW,
	GROUP_MACHINE,
	GROUP_END,
	GROUP_HOW,
	GROUP_ASK,
	GROUP_COUNT,
};

/* Where a reader says what is wrong with a value. */
struct complaint {
	char *text;
	size_t size;
};

/* Write the complaint; returns OPTIONS_WRONG, so that a reader can end with it. */
int complain(const struct complaint *complaint, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Room for any text that quote() writes. */
#define QUOTED_SIZE 136
/*
 * Up to length bytes of text as they can be shown to a terminal: what is not
 * printable ASCII as \xHH, a backslash as \\, "..." in place of what is too long.
 * Returns quoted.
 */
const char *quote(char quoted[QUOTED_SIZE], const char *text, size_t length);

struct option_row;

/*
 * Reads the option's value (NULL when the option takes none) into field, which
 * points to what row->field names in struct options. Returns 0 or OPTIONS_WRONG.
 */
typedef int option_reader(const struct option_row *row, void *field, const char *value,
			  const struct complaint *complaint);

option_reader read_flag;      /* bool: true */
option_reader read_exclusive; /* int or enum, 0 before: row->value; refuses two different ones */
option_reader read_request;   /* enum: row->value, whatever was there before */
option_reader read_choice;    /* enum: the index in row->choices */
option_reader read_text;      /* const char *: not empty */
option_reader read_comm;      /* char[COMM_ROOM]: not empty, not longer than the kernel's */
option_reader read_namespace; /* struct namespace_place; a PID is row->least to row->most */
option_reader read_nets;      /* struct net_list */
option_reader read_millis;    /* uint64_t, ns: 0 to row->most ms, up to six decimals */
option_reader read_number;    /* uint32_t: row->least to row->most */
option_reader read_power;     /* the same, a power of two */
option_reader read_list;      /* struct number_list: each row->least to row->most */

struct option_row {
	enum option_group group;
	char letter;          /* 0: no short form */
	const char *name;     /* the long form, without its dashes */
	const char *argument; /* what help calls the value; NULL: takes none */
	const char *help;     /* one sentence, no newline; help breaks it into lines */
	option_reader *read;
	size_t field; /* offset in struct options */

	bool bcc;                   /* bcc's tool has it: its abbreviations stay its own */
	size_t implies;             /* offset of a bool in struct options set as well; 0: none */
	int value;                  /* read_exclusive, read_request */
	const char *const *choices; /* read_choice: ends in NULL */
	const char *what;           /* numbers and texts: what one is called, "a port" */
	uint32_t least, most;       /* numbers */
};

extern const struct option_row option_rows[];
extern const size_t option_row_count;

#endif
