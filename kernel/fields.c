/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fields.h"

#include <ctype.h>
#include <stdlib.h>
#include <unistd.h>
#include <bpf/btf.h>

#define BTF_PATH "/sys/kernel/btf/vmlinux"

/*
 * Arguments and result of a probed function, in the registers that each
 * architecture's calling convention puts them.
 */
#if defined(__x86_64__)
#define PT_REGS_FIELDS                                                                             \
	{"REGS_PARM1", "pt_regs", "di", false}, {"REGS_PARM2", "pt_regs", "si", false},            \
		{"REGS_PARM3", "pt_regs", "dx", false},                                            \
	{                                                                                          \
		"REGS_RESULT", "pt_regs", "ax", false                                              \
	}
#elif defined(__aarch64__)
#define PT_REGS_FIELDS                                                                             \
	{"REGS_PARM1", "pt_regs", "regs[0]", false}, {"REGS_PARM2", "pt_regs", "regs[1]", false},  \
		{"REGS_PARM3", "pt_regs", "regs[2]", false},                                       \
	{                                                                                          \
		"REGS_RESULT", "pt_regs", "regs[0]", false                                         \
	}
#elif defined(__riscv) && __riscv_xlen == 64
#define PT_REGS_FIELDS                                                                             \
	{"REGS_PARM1", "pt_regs", "a0", false}, {"REGS_PARM2", "pt_regs", "a1", false},            \
		{"REGS_PARM3", "pt_regs", "a2", false},                                            \
	{                                                                                          \
		"REGS_RESULT", "pt_regs", "a0", false                                              \
	}
#elif defined(__powerpc64__)
#define PT_REGS_FIELDS                                                                             \
	{"REGS_PARM1", "pt_regs", "gpr[3]", false}, {"REGS_PARM2", "pt_regs", "gpr[4]", false},    \
		{"REGS_PARM3", "pt_regs", "gpr[5]", false},                                        \
	{                                                                                          \
		"REGS_RESULT", "pt_regs", "gpr[3]", false                                          \
	}
#else
#error "say here which registers hold the arguments and the result of a function"
#endif

static const struct field fields[] = {
	PT_REGS_FIELDS,
	{"SOCK_FAMILY", "sock", "__sk_common.skc_family", false},
	{"SOCK_LPORT", "sock", "__sk_common.skc_num", false},
	{"SOCK_DPORT", "sock", "__sk_common.skc_dport", false},
	{"SOCK_SADDR4", "sock", "__sk_common.skc_rcv_saddr", false},
	{"SOCK_DADDR4", "sock", "__sk_common.skc_daddr", false},
	{"SOCK_SADDR6", "sock", "__sk_common.skc_v6_rcv_saddr", false},
	{"SOCK_DADDR6", "sock", "__sk_common.skc_v6_daddr", false},
	{"SOCK_STATE", "sock", "__sk_common.skc_state", false},
	{"SOCK_PROT", "sock", "__sk_common.skc_prot", false},
	{"SOCK_NET", "sock", "__sk_common.skc_net", false},
	{"SOCK_ERR", "sock", "sk_err", false},
	{"SOCK_ERR_SOFT", "sock", "sk_err_soft", false},
	{"SOCK_SPORT", "inet_sock", "inet_sport", false},
	{"TCP_RETRANSMITS", "tcp_sock", "total_retrans", false},
	{"PROTO_NAME", "proto", "name", false},
	{"NET_INUM", "net", "ns.inum", false},
	{"SKB_DEV", "sk_buff", "dev", false},
	{"SKB_LEN", "sk_buff", "len", false},
	{"SKB_DATA_LEN", "sk_buff", "data_len", false},
	{"SKB_HEAD", "sk_buff", "head", false},
	{"SKB_DATA", "sk_buff", "data", false},
	{"SKB_PROTOCOL", "sk_buff", "protocol", false},
	{"SKB_TRANSPORT_HEADER", "sk_buff", "transport_header", false},
	{"NET_DEVICE_NET", "net_device", "nd_net", false},
	{"MSGHDR_ITER", "msghdr", "msg_iter", false},
	/* kvec shares a union with iov (later __iov) and ubuf, and never changed its name. */
	{"ITER_SEGMENTS", "iov_iter", "kvec", false},
	{"ITER_OFFSET", "iov_iter", "iov_offset", false},
	{"ITER_COUNT", "iov_iter", "count", false},
	{"TASK_NSPROXY", "task_struct", "nsproxy", false},
	{"NSPROXY_MNT_NS", "nsproxy", "mnt_ns", false},
	{"NS_COMMON_INUM", "ns_common", "inum", false},
	/* Private to fs/: no installed header has it. */
	{"MNT_NS_INUM", "mnt_namespace", "ns.inum", true},
	{"TASK_FILES", "task_struct", "files", false},
	{"TASK_PARENT", "task_struct", "real_parent", false},
	{"TASK_TGID", "task_struct", "tgid", false},
	{"TASK_LEADER", "task_struct", "group_leader", false},
	{"TASK_START", "task_struct", "start_time", false},
	{"FILES_FDT", "files_struct", "fdt", false},
	{"FDTABLE_MAX", "fdtable", "max_fds", false},
	{"FDTABLE_FD", "fdtable", "fd", false},
	{"FILE_PRIVATE", "file", "private_data", false},
	{"FILE_INODE", "file", "f_inode", false},
	{"INODE_MODE", "inode", "i_mode", false},
	{"INODE_NUMBER", "inode", "i_ino", false},
	{"SOCKET_SK", "socket", "sk", false},
	{"SOCKET_FILE", "socket", "file", false},
	{"SOCK_SOCKET", "sock", "sk_socket", false},
	{NULL, NULL, NULL, false},
};

_Static_assert(sizeof(fields) / sizeof(fields[0]) <= FIELDS_MAX + 1, "raise FIELDS_MAX");

const struct field *fields_all(void)
{
	return fields;
}

/* A member found by name in a struct or union, looking into unnamed ones. Depth is bounded. */
/* NOLINTNEXTLINE(misc-no-recursion): as structures nest, and never deeper than it counts */
static const struct btf_member *find_member(const struct btf *btf, const struct btf_type *type,
					    const char *name, size_t name_length, int depth,
					    uint32_t *bits)
{
	const struct btf_member *member = btf_members(type);

	if (depth > 16)
		return NULL;
	for (int i = 0; i < btf_vlen(type); i++, member++) {
		const char *found = btf__name_by_offset(btf, member->name_off);
		uint32_t here = btf_member_bit_offset(type, i);

		if (found && *found) {
			if (strlen(found) != name_length || memcmp(found, name, name_length) != 0)
				continue;
			if (btf_member_bitfield_size(type, i))
				return NULL;
			*bits += here;
			return member;
		}

		int id = btf__resolve_type(btf, member->type);
		const struct btf_type *inner = id < 0 ? NULL : btf__type_by_id(btf, id);
		uint32_t inner_bits = *bits + here;

		if (!inner || !btf_is_composite(inner))
			continue;

		const struct btf_member *deep =
			find_member(btf, inner, name, name_length, depth + 1, &inner_bits);
		if (deep) {
			*bits = inner_bits;
			return deep;
		}
	}
	return NULL;
}

int field_offset(const struct btf *btf, const char *type_name, const char *path, uint32_t *offset,
		 struct error *error)
{
	int id = btf__find_by_name_kind(btf, type_name, BTF_KIND_STRUCT);
	const char *name = path;
	uint32_t bits = 0;

	if (id < 0)
		return fail(error, "this kernel's BTF has no struct %s", type_name);

	while (*name) {
		const struct btf_type *type = btf__type_by_id(btf, id);
		size_t length = strcspn(name, ".[");
		const struct btf_member *member =
			type && btf_is_composite(type)
				? find_member(btf, type, name, length, 0, &bits)
				: NULL;

		if (!member)
			return fail(error, "this kernel's BTF has no field %s in struct %s", path,
				    type_name);
		id = btf__resolve_type(btf, member->type);
		name += length;
		if (*name == '[') {
			char *end;
			unsigned long index = strtoul(name + 1, &end, 10);
			const struct btf_type *array = id < 0 ? NULL : btf__type_by_id(btf, id);

			if (!array || !btf_is_array(array) || *end != ']' ||
			    index >= btf_array(array)->nelems)
				return fail(error, "this kernel's BTF has no %s in struct %s", path,
					    type_name);
			id = btf__resolve_type(btf, btf_array(array)->type);
			bits += 8 * index * (uint32_t)btf__resolve_size(btf, id);
			name = end + 1;
		}
		if (*name == '.')
			name++;
	}
	if (bits % 8)
		return fail(error, "field %s of struct %s does not start on a byte", path,
			    type_name);
	*offset = bits / 8;
	return 0;
}

int fields_resolve(const struct btf *btf, struct field_offsets *offsets, struct error *error)
{
	offsets->count = 0;
	for (const struct field *field = fields; field->macro; field++) {
		if (field_offset(btf, field->type, field->path, &offsets->offset[offsets->count],
				 error))
			return -1;
		offsets->count++;
	}
	return 0;
}

bool fields_complete(const struct field_offsets *offsets)
{
	size_t count = 0;

	for (const struct field *field = fields; field->macro; field++, count++) {
		if (count == offsets->count)
			return false;
		if (offsets->offset[count] > FIELD_OFFSET_MAX &&
		    !(field->optional && offsets->offset[count] == FIELD_ABSENT))
			return false;
	}
	return count == offsets->count;
}

int fields_take(const void *bytes, size_t size, struct field_offsets *offsets)
{
	offsets->count = 0;
	if (size > sizeof(offsets->offset) || size % sizeof(offsets->offset[0]))
		return -1;
	memcpy(offsets->offset, bytes, size);
	offsets->count = size / sizeof(offsets->offset[0]);
	if (fields_complete(offsets))
		return 0;
	offsets->count = 0;
	return -1;
}

struct btf *kernel_btf(struct error *error)
{
	struct btf *btf = btf__parse(BTF_PATH, NULL);

	if (!btf)
		fail(error, "cannot read the kernel's BTF at " BTF_PATH ": %s", strerror(errno));
	return btf;
}

bool kernel_has_btf(void)
{
	return access(BTF_PATH, R_OK) == 0;
}
