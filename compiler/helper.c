/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/helper.h"

#include <dlfcn.h>
#include <link.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>
#include <linux/bpf.h>
#include <bcc/bcc_common.h>
#include "compiler/write_all.h"
#include "sandbox/sandbox.h"

#define LIBRARY "libbcc.so.0"

/* The calls of libbcc used here, by the name that each has below. */
#define LIBBCC_CALLS(CALL)                                                                         \
	CALL(create, bpf_module_create_c_from_string)                                              \
	CALL(num_functions, bpf_num_functions)                                                     \
	CALL(function_name, bpf_function_name)                                                     \
	CALL(function_start, bpf_function_start)                                                   \
	CALL(function_size, bpf_function_size)                                                     \
	CALL(num_tables, bpf_num_tables)                                                           \
	CALL(table_name, bpf_table_name)                                                           \
	CALL(table_fd, bpf_table_fd_id)                                                            \
	CALL(table_type, bpf_table_type_id)                                                        \
	CALL(table_key_size, bpf_table_key_size_id)                                                \
	CALL(table_leaf_size, bpf_table_leaf_size_id)                                              \
	CALL(table_max_entries, bpf_table_max_entries_id)                                          \
	CALL(table_flags, bpf_table_flags_id)

/* The library is there only at run time, if at all. */
struct libbcc {
	void *handle;
/* NOLINTNEXTLINE(bugprone-macro-parentheses): a declaration takes none */
#define DECLARE_CALL(member, name) __typeof__(name) *member;
	LIBBCC_CALLS(DECLARE_CALL)
#undef DECLARE_CALL
};

static int find_llvm(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct toolchain *toolchain = arg;

	(void)size;
	if (info->dlpi_name && strstr(info->dlpi_name, "libLLVM"))
		snprintf(toolchain->llvm, sizeof(toolchain->llvm), "%s", info->dlpi_name);
	return 0;
}

/* The dynamic linker has only words. */
static const char *remedy(const char *why)
{
	if (strstr(why, strerror(EMFILE)))
		return "raise the limit of open files (ulimit -n)";
	if (strstr(why, "map segment") || strstr(why, "allocate memory"))
		return "raise the limit of address space (ulimit -v)";
	return "install libbpfcc (Debian) or bcc (Fedora)";
}

static int library_open(struct libbcc *bcc, struct toolchain *toolchain, struct error *error)
{
	struct link_map *map;

	bcc->handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!bcc->handle) {
		const char *why = dlerror();

		return fail(error, "cannot compile the BPF program: %.800s; %s", why, remedy(why));
	}
#define FIND_CALL(member, name)                                                                    \
	bcc->member = (__typeof__(bcc->member))dlsym(bcc->handle, #name);                          \
	if (!bcc->member)                                                                          \
		return fail(error,                                                                 \
			    "this " LIBRARY " lacks " #name ": install libbcc 0.18 or later");
	LIBBCC_CALLS(FIND_CALL)
#undef FIND_CALL
	memset(toolchain, 0, sizeof(*toolchain));
	if (dlinfo(bcc->handle, RTLD_DI_LINKMAP, &map) == 0)
		snprintf(toolchain->libbcc, sizeof(toolchain->libbcc), "%s", map->l_name);
	dl_iterate_phdr(find_llvm, toolchain);
	return 0;
}

int libbcc_version(char *version, size_t size, struct toolchain *toolchain, struct error *error)
{
	struct libbcc bcc = {0};
	char path[PATH_MAX];
	const char *number;

	if (library_open(&bcc, toolchain, error))
		return -1;
	/* The library has no call that tells; the name of its file does. */
	number = realpath(toolchain->libbcc, path) ? strstr(path, ".so.") : NULL;
	snprintf(version, size, "%s", number ? number + 4 : "unknown");
	return 0;
}

static int take_tables(const struct libbcc *bcc, void *module, struct object *object,
		       int fds[OBJECT_MAPS_MAX], struct error *error)
{
	size_t count = bcc->num_tables(module);

	if (count > OBJECT_MAPS_MAX)
		return fail(error, "libbcc made %zu maps, more than %d", count, OBJECT_MAPS_MAX);
	object->maps = calloc(count ? count : 1, sizeof(*object->maps));
	if (!object->maps)
		return fail(error, "out of memory");
	object->map_count = count;
	for (size_t i = 0; i < count; i++) {
		struct object_map *map = &object->maps[i];

		snprintf(map->name, sizeof(map->name), "%s", bcc->table_name(module, i));
		map->type = bcc->table_type(module, i);
		map->key_size = bcc->table_key_size(module, i);
		map->value_size = bcc->table_leaf_size(module, i);
		map->max_entries = bcc->table_max_entries(module, i);
		map->flags = bcc->table_flags(module, i);
		fds[i] = bcc->table_fd(module, i);
	}
	return 0;
}

static int take_functions(const struct libbcc *bcc, void *module, struct object *object,
			  struct error *error)
{
	size_t count = bcc->num_functions(module), total = 0;

	if (count > OBJECT_PROGRAMS_MAX)
		return fail(error, "libbcc made %zu programs, more than %d", count,
			    OBJECT_PROGRAMS_MAX);
	object->programs = calloc(count ? count : 1, sizeof(*object->programs));
	if (!object->programs)
		return fail(error, "out of memory");
	object->program_count = count;
	for (size_t i = 0; i < count; i++) {
		struct object_program *program = &object->programs[i];
		const char *name = bcc->function_name(module, i);

		snprintf(program->name, sizeof(program->name), "%s", name);
		program->first_insn = total;
		program->insn_count = bcc->function_size(module, name) / sizeof(struct bpf_insn);
		total += program->insn_count;
	}
	if (total > OBJECT_INSNS_MAX)
		return fail(error, "the BPF program has %zu instructions, more than %d", total,
			    OBJECT_INSNS_MAX);
	object->insns = calloc(total ? total : 1, sizeof(struct bpf_insn));
	if (!object->insns)
		return fail(error, "out of memory");
	object->insn_count = total;
	for (size_t i = 0; i < count; i++)
		memcpy(object->insns + object->programs[i].first_insn,
		       bcc->function_start(module, bcc->function_name(module, i)),
		       object->programs[i].insn_count * sizeof(struct bpf_insn));
	return 0;
}

/* Which 64-bit constants are maps or parameters; a map's file descriptor here means nothing there.
 */
static int take_references(struct object *object, const int fds[OBJECT_MAPS_MAX],
			   struct error *error)
{
	object->references =
		calloc(object->insn_count ? object->insn_count : 1, sizeof(*object->references));
	if (!object->references)
		return fail(error, "out of memory");
	for (uint32_t i = 0; i + 1 < object->insn_count; i++) {
		struct bpf_insn *insn = &object->insns[i];
		struct object_reference *reference = &object->references[object->reference_count];
		uint64_t value;

		if (insn->code != (BPF_LD | BPF_DW | BPF_IMM))
			continue;
		value = (uint32_t)insn[0].imm | (uint64_t)(uint32_t)insn[1].imm << 32;
		reference->insn = i++;
		if (insn->src_reg == BPF_PSEUDO_MAP_FD) {
			uint32_t map = 0;

			while (map < object->map_count && fds[map] != insn->imm)
				map++;
			if (map == object->map_count)
				return fail(error, "libbcc refers to a map that it does not list");
			reference->kind = REFERENCE_MAP;
			reference->index = map;
			insn->imm = 0;
			object->reference_count++;
		} else if (value - PARAMETER_MARK < OBJECT_PARAMETERS_MAX) {
			reference->kind = REFERENCE_PARAMETER;
			reference->index = value - PARAMETER_MARK;
			object->reference_count++;
		}
	}
	return 0;
}

/*
 * A /tmp of its own, which vanishes with the process however that ends. Without the
 * privilege for it, the shared one serves.
 */
static bool private_tmp(void)
{
	return unshare(CLONE_NEWNS) == 0 &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "size=512m,mode=0700") == 0;
}

/* Returns whether /tmp is the process's own from now on. */
static bool private_places(bool tmp_too)
{
	if (!private_tmp())
		return false;
	if (stubs_symbols("/tmp/kallsyms") == 0)
		(void)mount("/tmp/kallsyms", "/proc/kallsyms", NULL, MS_BIND, NULL);
	return tmp_too || umount2("/tmp", MNT_DETACH) != 0;
}

/* Returns 0 with what clang made of the text, NULL if it refused it; or -1 with *error set. */
static int run_clang(const struct libbcc *bcc, const struct compile_request *request, void **module,
		     struct error *error)
{
	const char *flags[1 + COMPILE_FLAGS_MAX] = {"-Wno-unused-function"};
	char own[PATH_MAX] = "", *made = request->made; /* a directory, to be removed */
	int count = 1;

	/* By these libbcc would take the headers of another kernel. */
	unsetenv("ARCH");
	unsetenv("BCC_KERNEL_MODULES_SUFFIX");
	unsetenv("BCC_LINUX_VERSION_CODE");
	unsetenv("BCC_KERNEL_SOURCE"); /* set below where it was heeded */

	for (const char *const *flag = request->flags; flag && *flag && count <= COMPILE_FLAGS_MAX;)
		flags[count++] = *flag++;
	/* libbcc returns to where it was called, which must be there. */
	if (chdir("/"))
		return fail(error, "cannot change to /: %s", strerror(errno));
	/* An installed tree may lie in /tmp itself, and nothing is written beside it. */
	if (private_places(request->headers != HEADERS_TREE)) {
		made = own; /* it vanishes with the process */
		setenv("TMPDIR", "/tmp", 1);
	} else if (request->headers == HEADERS_ARCHIVE) {
		/* In a shared /tmp libbcc would take what somebody has unpacked there before. */
		if (stubs_directory(made, PATH_MAX, error))
			return -1;
		setenv("TMPDIR", made, 1);
	}
	if (request->headers == HEADERS_TREE && request->tree)
		setenv("BCC_KERNEL_SOURCE", request->tree, 1);
	if (request->headers == HEADERS_NONE) {
		if (stubs_create(request->kernel_version, made, PATH_MAX, error))
			return -1;
		setenv("BCC_KERNEL_SOURCE", made, 1);
	}
	/* With what the kernel offers of it. */
	sandbox_compiler(request->headers == HEADERS_ARCHIVE);
	*module = bcc->create(request->text, 0, flags, count, true, NULL);
	return 0;
}

static int send_error(int fd, const struct error *error)
{
	write_all(fd, (char[]){error->final ? ANSWER_FINAL : ANSWER_ERROR}, 1);
	write_all(fd, error->line, strlen(error->line));
	return 1;
}

static int make_object(const struct libbcc *bcc, void *module, struct object *object,
		       struct error *error)
{
	int fds[OBJECT_MAPS_MAX] = {0};

	if (!module)
		return fail(error, "libbcc cannot compile the BPF program%s; see why with -v",
			    compile_few_files()
				    ? ", perhaps for want of open files (raise ulimit -n)"
				    : "");
	return take_tables(bcc, module, object, fds, error) ||
			       take_functions(bcc, module, object, error) ||
			       take_references(object, fds, error)
		       ? -1
		       : 0;
}

static int send_object(int fd, const struct toolchain *toolchain, const struct object *object)
{
	struct error error;
	size_t size;
	void *block = object_encode(object, &size);
	int failed;

	if (!block) {
		fail(&error, "out of memory");
		return send_error(fd, &error);
	}
	failed = write_all(fd, (char[]){ANSWER_OBJECT}, 1) ||
		 write_all(fd, toolchain, sizeof(*toolchain)) || write_all(fd, block, size);
	free(block);
	return failed;
}

static int answer_program(const struct libbcc *bcc, void *module, const struct toolchain *toolchain,
			  int fd)
{
	struct object *object = calloc(1, sizeof(*object));
	struct error error;
	int failed;

	if (!object)
		fail(&error, "out of memory");
	failed = !object || make_object(bcc, module, object, &error)
			 ? send_error(fd, &error)
			 : send_object(fd, toolchain, object);
	object_free(object);
	return failed;
}

static int answer_question(const void *module, const struct toolchain *toolchain, int fd)
{
	struct error error;

	if (module) {
		fail(&error, "libbcc's clang takes a question for a program");
		return send_error(fd, &error);
	}
	return write_all(fd, (char[]){ANSWER_WORDS}, 1) ||
	       write_all(fd, toolchain, sizeof(*toolchain));
}

/* Never above what the user has set. */
static void limit(int resource, rlim_t most)
{
	struct rlimit now;

	if (getrlimit(resource, &now) == 0 && now.rlim_cur < most)
		most = now.rlim_cur;
	now = (struct rlimit){most, most};
	setrlimit(resource, &now);
}

int helper_main(const struct compile_request *request, int fd)
{
	struct toolchain toolchain;
	struct libbcc bcc = {0};
	void *module = NULL;
	struct error error;

	limit(RLIMIT_AS, 4ul << 30);
	limit(RLIMIT_CPU, request->seconds + 1);
	limit(RLIMIT_CORE, 0);
	if (library_open(&bcc, &toolchain, &error)) {
		error.final = true;
		return send_error(fd, &error);
	}
	if (run_clang(&bcc, request, &module, &error))
		return send_error(fd, &error);
	return request->headers == HEADERS_NONE ? answer_program(&bcc, module, &toolchain, fd)
						: answer_question(module, &toolchain, fd);
}
