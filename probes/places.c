/* SPDX-License-Identifier: Apache-2.0 */
#include "probes/places.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include "probes/pinned.h"

static int fail_pinned(const struct pinned_wish *wish, int cause, struct error *error)
{
	/* The kernel says EACCES of a file that is no BPF object, too. */
	bool denied = cause == EPERM ||
		      (faccessat(AT_FDCWD, wish->path, R_OK | W_OK, AT_EACCESS) && errno == EACCES);

	if (denied)
		return fail(error,
			    "%s: may not open '%s': %s; CAP_BPF is needed, and the right to read "
			    "and write it",
			    wish->option, wish->path, strerror(cause));
	if (cause == ENOENT || cause == ENOTDIR || cause == ELOOP || cause == ENAMETOOLONG)
		return fail(error, "%s: no pinned map at '%s': %s; pin one with bpftool map pin",
			    wish->option, wish->path, strerror(cause));
	if (cause == EACCES || cause == EINVAL)
		return fail(error, "%s: '%s' is not a BPF map pinned in a BPF file system",
			    wish->option, wish->path);
	return fail(error, "%s: cannot open '%s': %s%s", wish->option, wish->path, strerror(cause),
		    error_remedy(cause));
}

static int open_pinned_map(const struct pinned_wish *wish, struct error *error)
{
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);
	char link[64], target[64];
	ssize_t length;
	bool told;
	int fd;

	fd = bpf_obj_get(wish->path);
	if (fd < 0)
		return fail_pinned(wish, errno, error);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, target, sizeof(target) - 1);
	target[length > 0 ? length : 0] = '\0';
	told = bpf_obj_get_info_by_fd(fd, &info, &size) == 0;
	if (pinned_judge(wish, target, told ? &info : NULL, error) == 0)
		return fd;
	close(fd);
	return -1;
}

static int open_netns(const struct namespace_place *place, uint32_t *inum, struct error *error)
{
	char path[PATH_MAX];
	struct stat st;
	int fd;

	if (place->path)
		snprintf(path, sizeof(path), "%s", place->path);
	else
		snprintf(path, sizeof(path), "/proc/%u/ns/net", place->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return fail(error, "--netns: cannot open '%s': %s", path, strerror(errno));
	if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET || fstat(fd, &st)) {
		close(fd);
		return fail(error, "--netns: '%s' is not a network namespace", path);
	}
	*inum = (uint32_t)st.st_ino;
	return fd;
}

static int open_cgroup(const char *path, struct error *error)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;

	if (fd < 0)
		return fail(error, "--cgroup: cannot open '%s': %s", path, strerror(errno));
	if (fstatfs(fd, &fs) || fs.f_type != CGROUP2_SUPER_MAGIC) {
		close(fd);
		return fail(error, "--cgroup: '%s' is not a directory of a cgroup v2 file system",
			    path);
	}
	return fd;
}

static int open_all(struct places *places, const struct options *options, struct error *error)
{
	const struct pinned_wish cgroups = {"--cgroupmap", options->cgroupmap, 8, 8};
	const struct pinned_wish mount_namespaces = {"--mntnsmap", options->mntnsmap, 8, 4};

	if (options->netns.path || options->netns.pid) {
		places->netns = open_netns(&options->netns, &places->netns_inum, error);
		if (places->netns < 0)
			return -1;
	}
	if (options->cgroup) {
		places->cgroup = open_cgroup(options->cgroup, error);
		if (places->cgroup < 0)
			return -1;
	}
	if (options->cgroupmap) {
		places->cgroupmap = open_pinned_map(&cgroups, error);
		if (places->cgroupmap < 0)
			return -1;
	}
	if (options->mntnsmap) {
		places->mntnsmap = open_pinned_map(&mount_namespaces, error);
		if (places->mntnsmap < 0)
			return -1;
	}
	return 0;
}

int places_open(struct places *places, const struct options *options, struct error *error)
{
	*places = (struct places){.netns = -1, .cgroup = -1, .cgroupmap = -1, .mntnsmap = -1};
	if (open_all(places, options, error) == 0)
		return 0;
	places_close(places);
	return -1;
}

void places_close(struct places *places)
{
	int *const fds[] = {&places->netns, &places->cgroup, &places->cgroupmap, &places->mntnsmap};

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
}
