/* SPDX-License-Identifier: Apache-2.0 */
/* Offsets from BTF: from types made here, and from those of the kernel that runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/btf.h>
#include "kernel/fields.h"
/* After error.h: both have a fail(). */
#include <cmocka.h>

static struct btf *btf;
static struct error error;

static int added(int id)
{
	assert_true(id > 0);
	return id;
}

/* A member at a byte, of whole bytes. */
static void member(const char *name, int type, uint32_t byte)
{
	assert_int_equal(btf__add_field(btf, name, type, 8 * byte, 0), 0);
}

static uint32_t offset(const char *type, const char *path)
{
	uint32_t found = 0xdeadbeef;

	if (field_offset(btf, type, path, &found, &error))
		fail_msg("%s.%s: %s", type, path, error.line);
	return found;
}

static void refused(const char *type, const char *path, const char *said)
{
	uint32_t found;

	memset(&error, 0, sizeof(error));
	if (field_offset(btf, type, path, &found, &error) == 0)
		fail_msg("%s.%s was found at %u", type, path, found);
	if (!strstr(error.line, said) || !strstr(error.line, type))
		fail_msg("\"%s\" does not say \"%s\" of %s", error.line, said, type);
}

static int make_btf(void **state)
{
	int u32, u64, u8, inner, hidden, deep, alias, wrapped, array, table, matrix, pointer;

	(void)state;
	btf = btf__new_empty();
	assert_non_null(btf);
	u8 = added(btf__add_int(btf, "u8", 1, 0));
	u32 = added(btf__add_int(btf, "u32", 4, 0));
	u64 = added(btf__add_int(btf, "u64", 8, 0));

	inner = added(btf__add_struct(btf, "inner", 16));
	member("first", u64, 0);
	member("second", u32, 8);
	member("third", u8, 12);

	/* A union without a name, in it a struct without a name, as the kernel likes them. */
	deep = added(btf__add_struct(btf, NULL, 8));
	member("daddr", u32, 0);
	member("saddr", u32, 4);
	hidden = added(btf__add_union(btf, NULL, 8));
	member("pair", u64, 0);
	member(NULL, deep, 0);

	alias = added(btf__add_typedef(btf, "inner_t", inner));
	wrapped = added(btf__add_const(btf, added(btf__add_volatile(btf, alias))));
	array = added(btf__add_array(btf, u32, u32, 5));
	table = added(btf__add_array(btf, u32, wrapped, 3));
	matrix = added(btf__add_array(btf, u32, array, 2));
	pointer = added(btf__add_ptr(btf, inner));

	added(btf__add_struct(btf, "outer", 200));
	member("plain", u32, 4);
	member(NULL, hidden, 8);
	member("inner", inner, 16);
	member("wrapped", wrapped, 32);
	member("array", array, 48);
	member("table", table, 72);
	member("pointer", pointer, 120);
	member("matrix", matrix, 128);
	/* Three bits, then five, then a whole byte again. */
	assert_int_equal(btf__add_field(btf, "bits", u8, 8 * 168, 3), 0);
	assert_int_equal(btf__add_field(btf, "more_bits", u8, 8 * 168 + 3, 5), 0);
	member("after_bits", u8, 169);
	member("inner_alias", alias, 176);
	member("inner", u32, 196); /* the same name once more: the first counts */

	added(btf__add_struct(btf, "empty", 0));
	added(btf__add_union(btf, "no_struct", 8));
	member("field", u32, 0);
	/* A forward declaration and a typedef have the names of structs as well. */
	added(btf__add_fwd(btf, "declared_only", BTF_FWD_STRUCT));
	added(btf__add_typedef(btf, "typedef_only", inner));
	return 0;
}

static int free_btf(void **state)
{
	(void)state;
	btf__free(btf);
	return 0;
}

static void test_found(void **state)
{
	(void)state;
	assert_int_equal(offset("outer", "plain"), 4);
	assert_int_equal(offset("inner", "first"), 0);
	assert_int_equal(offset("inner", "third"), 12);
	assert_int_equal(offset("outer", "inner"), 16);
	assert_int_equal(offset("outer", "inner.second"), 24);
	assert_int_equal(offset("outer", "pair"), 8);
	assert_int_equal(offset("outer", "daddr"), 8);
	assert_int_equal(offset("outer", "saddr"), 12);
	assert_int_equal(offset("outer", "pointer"), 120);
	assert_int_equal(offset("outer", "after_bits"), 169);
}

static void test_typedefs_and_qualifiers(void **state)
{
	(void)state;
	assert_int_equal(offset("outer", "wrapped"), 32);
	assert_int_equal(offset("outer", "wrapped.third"), 44);
	assert_int_equal(offset("outer", "inner_alias.second"), 184);
}

static void test_arrays(void **state)
{
	(void)state;
	assert_int_equal(offset("outer", "array"), 48);
	assert_int_equal(offset("outer", "array[0]"), 48);
	assert_int_equal(offset("outer", "array[4]"), 64);
	assert_int_equal(offset("outer", "table[2].second"), 72 + 2 * 16 + 8);
	assert_int_equal(offset("outer", "table[0].first"), 72);
	assert_int_equal(offset("outer", "matrix[1]"), 148);
	refused("outer", "array[5]", "array[5]");
	refused("outer", "array[4294967296]", "array[");
	refused("outer", "array[18446744073709551615]", "array[");
	refused("outer", "array[-1]", "array[");
	refused("outer", "array[1", "array[1");
	refused("outer", "array[1x]", "array[1x]");
	refused("outer", "plain[0]", "plain[0]");
	refused("outer", "pointer[0]", "pointer[0]");
	refused("outer", "array[0].first", "array[0].first");
}

static void test_missing(void **state)
{
	(void)state;
	refused("outer", "absent", "no field absent");
	refused("outer", "plai", "no field plai");
	refused("outer", "plainer", "no field plainer");
	refused("outer", "inner.absent", "no field inner.absent");
	refused("outer", "second", "no field second"); /* of a named member: not looked into */
	refused("outer", "pointer.first", "no field pointer.first");
	refused("outer", "plain.x", "no field plain.x");
	refused("empty", "x", "no field x");
	refused("nowhere", "x", "no struct nowhere");
	refused("no_struct", "field", "no struct no_struct");
	refused("declared_only", "x", "no struct declared_only");
	refused("typedef_only", "first", "no struct typedef_only");
	refused("u32", "x", "no struct u32");
}

/* No probe reads a bit field: its place in the byte is not told by an offset. */
static void test_bit_fields(void **state)
{
	(void)state;
	refused("outer", "bits", "bits");
	refused("outer", "more_bits", "more_bits");
}

/* Nameless in nameless: looked into, but not without end. */
static void test_depth(void **state)
{
	int below = added(btf__add_int(btf, "leaf_t", 4, 0));
	char name[16];

	(void)state;
	for (int depth = 1; depth <= 40; depth++) {
		int level = added(btf__add_struct(btf, NULL, 4));

		member(depth == 1 ? "leaf" : NULL, below, 0);
		below = level;
		if (depth == 10 || depth == 40) {
			snprintf(name, sizeof(name), "depth%d", depth);
			added(btf__add_struct(btf, name, 8));
			member(NULL, level, 4);
		}
	}
	assert_int_equal(offset("depth10", "leaf"), 4);
	refused("depth40", "leaf", "no field leaf");
}

static void test_table_of_fields(void **state)
{
	size_t count = 0;

	(void)state;
	for (const struct field *one = fields_all(); one->macro; one++, count++) {
		assert_true(one->macro[0] && one->type[0] && one->path[0]);
		assert_int_equal(strspn(one->macro, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"),
				 strlen(one->macro));
		for (const struct field *other = fields_all(); other < one; other++)
			assert_string_not_equal(one->macro, other->macro);
	}
	assert_in_range(count, 10, FIELDS_MAX);
}

/* BTF that has none of the kernel's structs: the first field missing is named. */
static void test_resolve_refuses(void **state)
{
	struct field_offsets offsets;

	(void)state;
	assert_int_equal(fields_resolve(btf, &offsets, &error), -1);
	assert_non_null(strstr(error.line, fields_all()[0].type));
}

/* Types that have all fields, each struct with its members one after the other. */
static void test_resolve_all(void **state)
{
	struct btf *own = btf;
	struct field_offsets offsets;
	size_t index = 0;

	(void)state;
	btf = btf__new_empty();
	assert_non_null(btf);

	int u32 = added(btf__add_int(btf, "u32", 4, 0));
	int array = added(btf__add_array(btf, u32, u32, 64));

	for (const struct field *one = fields_all(); one->macro; one++) {
		uint32_t byte = 0, size = 0;

		if (btf__find_by_name_kind(btf, one->type, BTF_KIND_STRUCT) > 0)
			continue;
		/* Paths of two steps: a struct for the first step's name. */
		int inner = added(btf__add_struct(btf, NULL, 1024));

		for (const struct field *other = one; other->macro; other++) {
			const char *dot = strchr(other->path, '.');

			if (strcmp(other->type, one->type) == 0 && dot) {
				member(dot + 1, u32, byte);
				byte += 4;
			}
		}
		added(btf__add_struct(btf, one->type, 8192));
		for (const struct field *other = one; other->macro; other++) {
			char name[64];
			size_t length = strcspn(other->path, ".[");

			if (strcmp(other->type, one->type) != 0)
				continue;
			snprintf(name, sizeof(name), "%.*s", (int)length, other->path);
			member(name,
			       other->path[length] == '[' ? array
			       : other->path[length]      ? inner
							  : u32,
			       size);
			size += 1024;
		}
	}
	if (fields_resolve(btf, &offsets, &error))
		fail_msg("%s", error.line);
	for (const struct field *one = fields_all(); one->macro; one++, index++) {
		uint32_t found;

		assert_int_equal(field_offset(btf, one->type, one->path, &found, &error), 0);
		assert_int_equal(offsets.offset[index], found);
	}
	assert_int_equal(offsets.count, index);
	btf__free(btf);
	btf = own;
}

static uint32_t offset_of(const struct field_offsets *offsets, const char *macro)
{
	for (size_t i = 0; fields_all()[i].macro; i++)
		if (strcmp(fields_all()[i].macro, macro) == 0)
			return offsets->offset[i];
	fail_msg("no field %s in the table", macro);
	return 0;
}

/* struct sock_common begins so since Linux 3.8 (include/net/sock.h). */
static void test_running_kernel(void **state)
{
	struct field_offsets offsets;
	struct btf *kernel;

	(void)state;
	if (!kernel_has_btf()) {
		print_message("skipped: this kernel shows no BTF\n");
		skip();
	}
	kernel = kernel_btf(&error);
	assert_non_null(kernel);
	if (fields_resolve(kernel, &offsets, &error))
		fail_msg("%s", error.line);
	btf__free(kernel);
	assert_int_equal(offset_of(&offsets, "SOCK_DADDR4"), 0);
	assert_int_equal(offset_of(&offsets, "SOCK_SADDR4"), 4);
	assert_int_equal(offset_of(&offsets, "SOCK_DPORT"), 12);
	assert_int_equal(offset_of(&offsets, "SOCK_LPORT"), 14);
	assert_int_equal(offset_of(&offsets, "SOCK_FAMILY"), 16);
	assert_int_equal(offset_of(&offsets, "SOCK_STATE"), 18);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_typedefs_and_qualifiers),
		cmocka_unit_test(test_arrays),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_bit_fields),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_table_of_fields),
		cmocka_unit_test(test_resolve_refuses),
		cmocka_unit_test(test_resolve_all),
		cmocka_unit_test(test_running_kernel),
	};

	return cmocka_run_group_tests_name("fields", tests, make_btf, free_btf);
}
