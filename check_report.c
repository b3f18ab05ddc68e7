/* SPDX-License-Identifier: Apache-2.0 */
#include "check_report.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>
#include "output/printer.h"

#define NAME_WIDTH 20

bool check_add(struct check_report *report, const char *name, enum check_answer answer,
	       const char *format, ...)
{
	struct check_row *row = &report->rows[report->count];
	va_list args;

	if (report->count == CHECK_ROWS_MAX)
		return false;
	report->count++;
	row->name = name;
	row->answer = answer;
	va_start(args, format);
	vsnprintf(row->reason, sizeof(row->reason), format, args);
	va_end(args);
	return answer == CHECK_YES;
}

/* Paths and the libraries' words are printed too; they must not play with the terminal. */
static size_t escape(char *out, const char *text)
{
	size_t length = escape_untrusted(out, text, strlen(text));

	out[length] = '\0';
	return length;
}

static void put_line(FILE *out, const char *name, const char *answer, const char *reason)
{
	char safe[4 * sizeof(((struct check_row *)0)->reason) + 1];

	escape(safe, reason);
	fprintf(out, "%-*s %-4s %s\n", NAME_WIDTH, name, answer, safe);
}

/* The options that would ask for the same. */
static void describe(const struct check_start *start, char *text, size_t size)
{
	size_t used = snprintf(text, size, "--probe %s --types %s", start->probe, start->types);

	if (start->pages && used < size)
		used += snprintf(text + used, size - used, " --pages %u", start->pages);
	if (start->ring_buffer && used < size)
		used += snprintf(text + used, size - used, ", one ring buffer");
	if (used < size)
		used += snprintf(text + used, size - used, ", %s",
				 start->compiled_before ? "compiled before" : "compiled now");
	for (size_t i = 0; i < start->without_count && used < size; i++)
		used += snprintf(text + used, size - used, "; %s", start->without[i]);
}

void check_print_table(const struct check_report *report, FILE *out)
{
	static const char *const answers[] = {"no", "yes", "?"};
	char text[sizeof(report->start.reason)];

	for (size_t i = 0; i < report->count; i++)
		put_line(out, report->rows[i].name, answers[report->rows[i].answer],
			 report->rows[i].reason);
	if (report->start.works) {
		describe(&report->start, text, sizeof(text));
		put_line(out, "tracing", "yes", text);
	} else {
		put_line(out, "tracing", "no", report->start.reason);
	}
}

/* RFC 8259. What escape_untrusted() lets through is valid UTF-8 without control characters. */
static void put_string(FILE *out, const char *text)
{
	char safe[4 * sizeof(((struct check_row *)0)->reason) + 1];

	escape(safe, text);
	fputc('"', out);
	for (const char *at = safe; *at; at++) {
		if (*at == '"' || *at == '\\')
			fputc('\\', out);
		fputc(*at, out);
	}
	fputc('"', out);
}

/* "names by kprobe" -> "names_by_kprobe" */
static void put_key(FILE *out, const char *name)
{
	fputc('"', out);
	for (; *name; name++)
		fputc(*name == ' ' ? '_' : tolower((unsigned char)*name), out);
	fputs("\":", out);
}

static void put_start(FILE *out, const struct check_start *start)
{
	if (!start->works) {
		fputs("\"works\":false,\"start\":null,\"reason\":", out);
		put_string(out, start->reason);
		return;
	}
	fprintf(out, "\"works\":true,\"start\":{\"probe\":\"%s\",\"types\":\"%s\"", start->probe,
		start->types);
	if (start->pages)
		fprintf(out, ",\"pages\":%u", start->pages);
	else
		fputs(",\"pages\":null", out);
	fprintf(out, ",\"compiled\":\"%s\",\"without\":[",
		start->compiled_before ? "before" : "now");
	for (size_t i = 0; i < start->without_count; i++) {
		fputs(i ? "," : "", out);
		put_string(out, start->without[i]);
	}
	fputs("]},\"reason\":null", out);
}

void check_print_json(const struct check_report *report, FILE *out)
{
	static const char *const answers[] = {"false", "true", "null"};

	fputs("{\"checks\":{", out);
	for (size_t i = 0; i < report->count; i++) {
		fputs(i ? "," : "", out);
		put_key(out, report->rows[i].name);
		fprintf(out, "{\"yes\":%s,\"reason\":", answers[report->rows[i].answer]);
		put_string(out, report->rows[i].reason);
		fputc('}', out);
	}
	fputs("},", out);
	put_start(out, &report->start);
	fputs("}\n", out);
}
