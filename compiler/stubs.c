/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/helper.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "compiler/write_all.h"

static const char kconfig[] = "#define CONFIG_BPF_SYSCALL 1\n";

static const char types[] = "#ifndef STUB_TYPES_H\n"
			    "#define STUB_TYPES_H\n"
			    "typedef __UINT8_TYPE__ __u8;\n"
			    "typedef __UINT16_TYPE__ __u16;\n"
			    "typedef __UINT32_TYPE__ __u32;\n"
			    "typedef unsigned long long __u64;\n"
			    "typedef __INT8_TYPE__ __s8;\n"
			    "typedef __INT16_TYPE__ __s16;\n"
			    "typedef __INT32_TYPE__ __s32;\n"
			    "typedef long long __s64;\n"
			    "typedef __u8 u8;\n"
			    "typedef __u16 u16;\n"
			    "typedef __u32 u32;\n"
			    "typedef __u64 u64;\n"
			    "typedef __s8 s8;\n"
			    "typedef __s16 s16;\n"
			    "typedef __s32 s32;\n"
			    "typedef __s64 s64;\n"
			    "typedef __u16 __be16;\n"
			    "typedef __u16 __le16;\n"
			    "typedef __u32 __be32;\n"
			    "typedef __u32 __le32;\n"
			    "typedef __u64 __be64;\n"
			    "typedef __u64 __le64;\n"
			    "typedef __u16 __sum16;\n"
			    "typedef __u32 __wsum;\n"
			    "typedef __u64 __attribute__((aligned(8))) __aligned_u64;\n"
			    "typedef __SIZE_TYPE__ size_t;\n"
			    "typedef __UINTPTR_TYPE__ uintptr_t;\n"
			    "typedef _Bool bool;\n"
			    "typedef int pid_t;\n"
			    "#define offsetof(type, member) __builtin_offsetof(type, member)\n"
			    "#endif\n";

static const struct stub {
	const char *path, *text; /* text NULL: the file is empty */
} stubs[] = {
	{"include/linux/kconfig.h", kconfig}, {"include/linux/types.h", types},
	{"include/linux/bpf_common.h", NULL}, {"include/linux/log2.h", NULL},
	{"include/linux/if_packet.h", NULL},  {"include/uapi/linux/if_packet.h", NULL},
	{"include/uapi/linux/bpf.h", NULL},
};

static const char *const directories[] = {
	"include", "include/linux", "include/asm", "include/uapi", "include/uapi/linux",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int put_file(int root, const char *path, const char *text)
{
	int fd = openat(root, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int bad;

	if (fd < 0)
		return -1;
	bad = text && write_all(fd, text, strlen(text));
	return close(fd) || bad ? -1 : 0;
}

int stubs_symbols(const char *path)
{
	return put_file(AT_FDCWD, path,
			"ffffffff81000000 T bpf_probe_read_kernel\n"
			"ffffffff81000100 T bpf_probe_read_user\n");
}

static int fill(int root, uint32_t kernel_version)
{
	char text[256];

	for (size_t i = 0; i < COUNT(directories); i++)
		if (mkdirat(root, directories[i], 0700))
			return -1;
	for (size_t i = 0; i < COUNT(stubs); i++)
		if (put_file(root, stubs[i].path, stubs[i].text))
			return -1;
	snprintf(text, sizeof(text), "#define PAGE_SIZE %ld\n", sysconf(_SC_PAGESIZE));
	if (put_file(root, "include/asm/page.h", text))
		return -1;
	snprintf(text, sizeof(text),
		 "#define LINUX_VERSION_CODE %u\n"
		 "#define KERNEL_VERSION(a, b, c) (((a) << 16) + ((b) << 8) + (c))\n",
		 kernel_version);
	return put_file(root, "include/linux/version.h", text);
}

int stubs_directory(char *path, size_t size, struct error *error)
{
	const char *parent = secure_getenv("TMPDIR");

	if (!parent || parent[0] != '/')
		parent = "/tmp";
	if ((size_t)snprintf(path, size, "%s/tcpconnect-XXXXXX", parent) >= size)
		return fail(error, "TMPDIR is too long a path");
	if (mkdtemp(path))
		return 0;
	path[0] = '\0'; /* nothing to be removed */
	return fail(error,
		    "cannot make a temporary directory in %s: %s; TMPDIR may name another place",
		    parent, strerror(errno));
}

int stubs_create(uint32_t kernel_version, char *path, size_t size, struct error *error)
{
	int root;

	if (stubs_directory(path, size, error))
		return -1;
	root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || fill(root, kernel_version)) {
		fail(error, "cannot write to %s: %s%s", path, strerror(errno),
		     *error_remedy(errno) ? error_remedy(errno)
					  : "; TMPDIR may name another place");
		if (root >= 0)
			close(root);
		stubs_remove(path);
		return -1;
	}
	close(root);
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	(void)remove(path);
	return 0;
}

void stubs_remove(const char *path)
{
	(void)nftw(path, remove_one, 1, FTW_DEPTH | FTW_PHYS); /* one descriptor may be all */
}
