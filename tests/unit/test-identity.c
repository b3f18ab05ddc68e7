/* SPDX-License-Identifier: Apache-2.0 */
/* Which kernel runs: its version, and the build id among its notes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <elf.h>
#include <cmocka.h>
#include "kernel/identity.h"

static uint32_t code(const char *release, const char *version, const char *signature)
{
	struct kernel_identity identity = {0};

	snprintf(identity.name.release, sizeof(identity.name.release), "%s", release);
	snprintf(identity.name.version, sizeof(identity.name.version), "%s", version);
	snprintf(identity.signature, sizeof(identity.signature), "%s", signature);
	return kernel_version_code(&identity);
}

static void version_from_release(void **state)
{
	(void)state;
	assert_int_equal(code("6.1.27", "#1 SMP", ""), 0x06011b);
	assert_int_equal(code("6.18.44-custom", "#1 SMP PREEMPT_DYNAMIC @0", ""), 0x06122c);
	assert_int_equal(code("5.15.0-rc1+", "#1", ""), 0x050f00);
	assert_int_equal(code("7.3", "#1", ""), 0x070300);
	assert_int_equal(code("4.9.337", "#1", ""), 0x0409ff); /* a byte holds no more */
}

static void version_behind_a_release_that_stays(void **state)
{
	(void)state;
	assert_int_equal(code("4.19.0-27-amd64", "#1 SMP Debian 4.19.316-1 (2024-06-25)", ""),
			 0x0413ff);
	assert_int_equal(code("4.19.0-5-amd64", "#1 SMP Debian 4.19.37-5 (2019-06-19)", ""),
			 0x041325);
	assert_int_equal(
		code("6.6.62+rpt-rpi-v8", "#1 SMP PREEMPT Debian 1:6.6.62-1+rpt1 (2024-11-25)", ""),
		0x06063e);
	assert_int_equal(code("4.15.0-20-generic", "#21-Ubuntu SMP Tue Apr 24 2018",
			      "Ubuntu 4.15.0-20.21-generic 4.15.17\n"),
			 0x040f11);
}

static void version_of_nothing(void **state)
{
	(void)state;
	assert_int_equal(code("", "", ""), 0);
	assert_int_equal(code("none", "Debian ", " "), 0);
	assert_int_equal(code("5.", "", ""), 0x050000);
	assert_int_equal(code("5..7", "", ""), 0x050000);
}

/* A note as it lies in /sys/kernel/notes; name and value are padded to 4 bytes. */
static size_t put_note(uint8_t *at, uint32_t type, const char *name, const void *value,
		       uint32_t size)
{
	Elf64_Nhdr header = {.n_namesz = strlen(name) + 1, .n_descsz = size, .n_type = type};
	size_t name_room = (header.n_namesz + 3) & ~3u, value_room = (size + 3) & ~3u;

	memset(at, 0, sizeof(header) + name_room + value_room);
	memcpy(at, &header, sizeof(header));
	memcpy(at + sizeof(header), name, header.n_namesz);
	memcpy(at + sizeof(header) + name_room, value, size);
	return sizeof(header) + name_room + value_room;
}

static void build_id_among_notes(void **state)
{
	uint8_t notes[256];
	char text[2 * 64 + 1];
	size_t size = put_note(notes, 6, "Xen", "four", 4);

	(void)state;
	size += put_note(notes + size, NT_GNU_BUILD_ID, "Lin", "nope", 4);
	build_id_from_notes(notes, size, text, sizeof(text));
	assert_string_equal(text, "");
	size += put_note(notes + size, NT_GNU_BUILD_ID, "GNU", "\x01\xab\xff\x00\x10", 5);
	build_id_from_notes(notes, size, text, sizeof(text));
	assert_string_equal(text, "01abff0010");
	for (size_t cut = 0; cut < size; cut++) {
		build_id_from_notes(notes, cut, text, sizeof(text));
		assert_string_equal(text, "");
	}
}

static void build_id_too_long_is_none(void **state)
{
	uint8_t notes[256], value[64] = {0};
	char text[2 * 20 + 1];
	size_t size = put_note(notes, NT_GNU_BUILD_ID, "GNU", value, 21);

	(void)state;
	build_id_from_notes(notes, size, text, sizeof(text));
	assert_string_equal(text, "");
	size = put_note(notes, NT_GNU_BUILD_ID, "GNU", value, 20);
	build_id_from_notes(notes, size, text, sizeof(text));
	assert_int_equal(strlen(text), 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_from_release),
		cmocka_unit_test(version_behind_a_release_that_stays),
		cmocka_unit_test(version_of_nothing),
		cmocka_unit_test(build_id_among_notes),
		cmocka_unit_test(build_id_too_long_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
