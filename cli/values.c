/* SPDX-License-Identifier: Apache-2.0 */
/* The readers of options' values, and how they complain. */
#include <stdarg.h>
#include <string.h>
#include "cli/table.h"

/* How many bytes of a value are worth showing. */
#define QUOTED_BYTES 32

_Static_assert(QUOTED_SIZE >= 4 * QUOTED_BYTES + sizeof("..."), "a quoted value fits");
_Static_assert(sizeof(enum probe_kind) == sizeof(int) && sizeof(enum types_kind) == sizeof(int) &&
		       sizeof(enum action) == sizeof(int) && sizeof(enum color_kind) == sizeof(int),
	       "readers store enums as int");

int complain(const struct complaint *complaint, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(complaint->text, complaint->size, format, arguments);
	va_end(arguments);
	return OPTIONS_WRONG;
}

const char *quote(char quoted[QUOTED_SIZE], const char *text, size_t length)
{
	static const char hex[] = "0123456789abcdef";
	size_t shown = length > QUOTED_BYTES ? QUOTED_BYTES : length;
	char *out = quoted;

	for (size_t i = 0; i < shown; i++) {
		unsigned char byte = (unsigned char)text[i];

		/* By number, not isprint(3): what is shown must not depend on the locale. */
		if (byte == '\\') {
			*out++ = '\\';
			*out++ = '\\';
		} else if (byte >= 0x20 && byte < 0x7f) {
			*out++ = (char)byte;
		} else {
			*out++ = '\\';
			*out++ = 'x';
			*out++ = hex[byte >> 4];
			*out++ = hex[byte & 15];
		}
	}
	strcpy(out, shown < length ? "..." : "");
	return quoted;
}

int read_flag(const struct option_row *row, void *field, const char *value,
	      const struct complaint *complaint)
{
	(void)row, (void)value, (void)complaint;
	*(bool *)field = true;
	return 0;
}

/* The other row that would have set the same field to what it holds now. */
static const char *name_of_value(const struct option_row *row, int value)
{
	for (size_t i = 0; i < option_row_count; i++) {
		const struct option_row *other = &option_rows[i];

		if (other->read == row->read && other->field == row->field && other->value == value)
			return other->name;
	}
	return "another option";
}

int read_exclusive(const struct option_row *row, void *field, const char *value,
		   const struct complaint *complaint)
{
	int *chosen = field;

	(void)value;
	if (*chosen && *chosen != row->value)
		return complain(complaint, "--%s and --%s exclude each other; give one of them",
				name_of_value(row, *chosen), row->name);
	*chosen = row->value;
	return 0;
}

int read_request(const struct option_row *row, void *field, const char *value,
		 const struct complaint *complaint)
{
	(void)value, (void)complaint;
	*(int *)field = row->value;
	return 0;
}

int read_choice(const struct option_row *row, void *field, const char *value,
		const struct complaint *complaint)
{
	char quoted[QUOTED_SIZE], list[80] = "";
	size_t used = 0;

	for (int i = 0; row->choices[i]; i++) {
		if (strcmp(value, row->choices[i]) == 0) {
			*(int *)field = i;
			return 0;
		}
		if (used < sizeof(list))
			used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s",
						 i ? ", " : "", row->choices[i]);
	}
	return complain(complaint, "--%s: '%s' is none of %s", row->name,
			quote(quoted, value, strlen(value)), list);
}

int read_text(const struct option_row *row, void *field, const char *value,
	      const struct complaint *complaint)
{
	if (!*value)
		return complain(complaint, "--%s: %s is empty; give %s", row->name, row->what,
				row->argument);
	*(const char **)field = value;
	return 0;
}

int read_comm(const struct option_row *row, void *field, const char *value,
	      const struct complaint *complaint)
{
	char quoted[QUOTED_SIZE];
	size_t length = strlen(value);

	if (!length)
		return complain(complaint, "--%s: the name is empty; give %s", row->name,
				row->argument);
	if (length >= COMM_ROOM)
		return complain(complaint,
				"--%s: '%s' is too long; the kernel keeps the first %d bytes of "
				"a name, give those",
				row->name, quote(quoted, value, length), COMM_ROOM - 1);
	memset(field, 0, COMM_ROOM);
	memcpy(field, value, length);
	return 0;
}

/*
 * A whole decimal number and nothing else: no sign, blank or base prefix, which
 * strtoul(3) would all let pass.
 */
static bool parse_number(const struct option_row *row, const char *text, size_t length,
			 uint32_t *number)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		sum = sum * 10 + (uint64_t)(text[i] - '0');
		if (sum > row->most)
			return false;
	}
	if (!length || sum < row->least)
		return false;
	*number = (uint32_t)sum;
	return true;
}

int read_number(const struct option_row *row, void *field, const char *value,
		const struct complaint *complaint)
{
	char quoted[QUOTED_SIZE];

	if (!parse_number(row, value, strlen(value), field))
		return complain(complaint, "--%s: '%s' is not %s (%u to %u)", row->name,
				quote(quoted, value, strlen(value)), row->what, row->least,
				row->most);
	return 0;
}

/* What looks like a number is a PID; a file of such a name is ./123. */
int read_namespace(const struct option_row *row, void *field, const char *value,
		   const struct complaint *complaint)
{
	struct namespace_place *place = field;
	size_t length = strlen(value);
	char quoted[QUOTED_SIZE];

	*place = (struct namespace_place){.path = value};
	if (strspn(value, "0123456789") < length)
		return 0;
	if (!parse_number(row, value, length, &place->pid))
		return complain(complaint, "--%s: '%s' is not %s (%u to %u), nor a path; give %s",
				row->name, quote(quoted, value, length), row->what, row->least,
				row->most, row->argument);
	place->path = NULL;
	return 0;
}

/* Digits, and perhaps a point and one to six digits more: exact in ns, unlike strtod(3). */
int read_millis(const struct option_row *row, void *field, const char *value,
		const struct complaint *complaint)
{
	size_t whole = strcspn(value, ".");
	const char *decimals = value[whole] ? value + whole + 1 : "0";
	size_t places = strlen(decimals);
	char quoted[QUOTED_SIZE];
	uint32_t ms, ns = 0;

	if (parse_number(row, value, whole, &ms) && places >= 1 && places <= 6 &&
	    strspn(decimals, "0123456789") == places) {
		for (size_t i = 0; i < 6; i++)
			ns = ns * 10 + (i < places ? (uint32_t)(decimals[i] - '0') : 0);
		if (ms < row->most || !ns) {
			*(uint64_t *)field = ms * UINT64_C(1000000) + ns;
			return 0;
		}
	}
	return complain(complaint,
			"--%s: '%s' is not a number of milliseconds (0 to %u, up to six decimals)",
			row->name, quote(quoted, value, strlen(value)), row->most);
}

int read_power(const struct option_row *row, void *field, const char *value,
	       const struct complaint *complaint)
{
	char quoted[QUOTED_SIZE];
	uint32_t number;

	if (!parse_number(row, value, strlen(value), &number) || (number & (number - 1)))
		return complain(complaint, "--%s: '%s' is not %s (%u to %u)", row->name,
				quote(quoted, value, strlen(value)), row->what, row->least,
				row->most);
	*(uint32_t *)field = number;
	return 0;
}

/* Insert in order, once. Returns false when there is no room. */
static bool add_number(struct number_list *list, uint32_t number)
{
	size_t at = 0;

	while (at < list->count && list->value[at] < number)
		at++;
	if (at < list->count && list->value[at] == number)
		return true;
	if (list->count == FILTER_MAX)
		return false;
	memmove(&list->value[at + 1], &list->value[at],
		(list->count - at) * sizeof(list->value[0]));
	list->value[at] = number;
	list->count++;
	return true;
}

/* Leave out the blanks around an element, as bcc's tool does. Returns the length that is left. */
static size_t trim_element(const char **text, size_t length)
{
	size_t before = strspn(*text, " ");

	if (before > length)
		before = length;
	*text += before;
	length -= before;
	while (length && (*text)[length - 1] == ' ')
		length--;
	return length;
}

int read_list(const struct option_row *row, void *field, const char *value,
	      const struct complaint *complaint)
{
	struct number_list *list = field;
	const char *element = value;
	char quoted[QUOTED_SIZE];

	list->count = 0;
	if (!*value)
		return complain(complaint, "--%s: the list is empty; give %s", row->name,
				row->argument);
	for (;;) {
		const char *next = element + strcspn(element, ",");
		size_t length = trim_element(&element, (size_t)(next - element));
		uint32_t number;

		if (!length)
			return complain(complaint, "--%s: '%s' has an empty element; give %s",
					row->name, quote(quoted, value, strlen(value)),
					row->argument);
		if (!parse_number(row, element, length, &number))
			return complain(complaint, "--%s: '%s' is not %s (%u to %u); give %s",
					row->name, quote(quoted, element, length), row->what,
					row->least, row->most, row->argument);
		if (!add_number(list, number))
			return complain(complaint,
					"--%s: the list has more than %d different values; "
					"that is the most",
					row->name, FILTER_MAX);
		if (!*next)
			return 0;
		element = next + 1;
	}
}
