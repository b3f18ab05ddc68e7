# SPDX-License-Identifier: Apache-2.0
"""Where something is missing or forbidden: the tool works all the same, or says in one line what
is in the way and what would help, and ends with status 1."""

import errno
import json
import os
import platform
import re
import subprocess

from harness import EXTRA, Skip, check, command, equal, one_line, test
from places import perf_event_paranoid
from tool import once

NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
TWO = NOBODY + ("--inh-caps=+bpf,+perfmon", "--ambient-caps=+bpf,+perfmon",
                "--bounding-set=-all,+bpf,+perfmon")
RELEASE = platform.release()


def said_in_one_line(status, out, err, *words):
    equal((status, out), (1, ""), "status and output (%s)" % one_line(err))
    check(re.fullmatch(r"tcpconnect: [^\n]+\n", err), "not one line: %r" % err[:300])
    check(len(err) < 900, "too long a line: %r" % err)
    check("\n" not in err[:-1] and "warning:" not in err and "error:" not in err,
          "clang's words: %r" % err)
    for word in words:
        check(word in err, "%r is not in %r" % (word, err))


def refused(*words, options=(), before=(), **more):
    said_in_one_line(*once(*EXTRA, *options, before=before, **more), *words)


def works(scene, *options, before=()):
    """It traces; what it said on standard error."""
    client = scene.client()
    tool = scene.tool("-p", client.pid, *options, before=before)
    client.run("127.0.0.1", 80)
    if tool.count:
        tool.stop()
        equal([(daddr, count) for _, daddr, _, count in tool.counts()], [("127.0.0.1", 1)],
              "counts")
    else:
        equal([(row.pid, row.daddr, row.dport) for row in tool.finish()],
              [(client.pid, "127.0.0.1", 80)], "events")
    return tool.err()


def mounts(*lines):
    """Before a command: mounts that it sees and nobody else does."""
    return ("unshare", "--mount", "--propagation", "private", "sh", "-ec",
            "\n".join(lines) + '\nexec "$@"', "sh")


def hidden(scene, *paths):
    empty = scene.directory()
    return ["mount --bind %s %s" % (empty, path) for path in paths if os.path.isdir(path)]


def writable(path):
    """A layer over a directory, for this mount namespace alone."""
    return ["mount -t tmpfs -o mode=755 live /mnt", "mkdir /mnt/upper /mnt/work",
            "mount -t overlay -o lowerdir=%s,upperdir=/mnt/upper,workdir=/mnt/work live %s"
            % (path, path)]


def possible(before, what):
    """Whether these mounts can be made here."""
    done = subprocess.run([*before, "true"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          text=True)
    if done.returncode:
        raise Skip("%s: %s" % (what, one_line(done.stderr)))
    return before


def library():
    """The file of libbcc."""
    for line in subprocess.run(["ldconfig", "-p"], stdout=subprocess.PIPE,
                               text=True).stdout.splitlines():
        if line.split()[:1] == ["libbcc.so.0"]:
            return os.path.realpath(line.split()[-1])
    raise Skip("ldconfig knows no libbcc.so.0")


def headers_tree(scene, release):
    """What says that it is the headers of a release, and has none."""
    tree = scene.directory()
    os.makedirs(tree + "/include/generated")
    with open(tree + "/include/generated/autoconf.h", "w"):
        pass
    with open(tree + "/include/generated/utsrelease.h", "w") as file:
        file.write('#define UTS_RELEASE "%s"\n' % release)
    os.makedirs(tree + "/include/linux")
    with open(tree + "/include/linux/kconfig.h", "w"):
        pass
    return tree


def new_cache(scene):
    path = scene.directory()
    os.chmod(path, 0o700)
    return path


# What the kernel lacks.

@test
def no_kprobes(scene):
    if os.path.exists("/sys/bus/event_source/devices/kprobe"):
        raise Skip("this kernel has kprobes")
    for more in ((), ("--no-cache",)):
        said_in_one_line(*once("--probe", "kprobe", *more), "CONFIG_KPROBE_EVENTS", "--probe auto")


@test
def fentry_refused(scene):
    status, out, err = once("--probe", "fentry", "--duration", "1")
    if status == 0:
        raise Skip("this kernel has fentry")
    said_in_one_line(status, out, err, "fexit", "--probe auto")


@test
def neither_types_nor_headers(scene):
    before = mounts(*hidden(scene, "/sys/kernel/btf", "/lib/modules/%s" % RELEASE))
    for more in ((), ("--no-cache",)):
        refused("CONFIG_DEBUG_INFO_BTF", "linux-headers-" + RELEASE, options=more, before=before)
    refused("CONFIG_DEBUG_INFO_BTF", "--types headers", options=("--types", "btf"), before=before)
    refused("install linux-headers-" + RELEASE, options=("--types", "headers"), before=before)


@test
def headers_of_another_release(scene):
    tree = headers_tree(scene, "1.2.3-other")
    chosen = ("env", "BCC_KERNEL_SOURCE=" + tree)
    headers = ("--types", "headers")
    refused("1.2.3-other", RELEASE, tree, "install the headers", options=headers, before=chosen)
    works(scene, before=chosen)  # types come from BTF
    installed = possible(mounts(*writable("/usr/lib"), "mkdir -p /lib/modules/%s" % RELEASE,
                                "ln -sfnT %s /lib/modules/%s/build" % (tree, RELEASE)),
                         "no overlay over /usr/lib")
    refused("1.2.3-other", RELEASE, "install the headers", options=headers, before=installed)
    works(scene, before=installed)


@test
def headers_that_are_none(scene):
    refused("BCC_KERNEL_SOURCE", "no configured kernel headers", options=("--types", "headers"),
            before=("env", "BCC_KERNEL_SOURCE=" + scene.directory()))


@test
def half_of_the_headers(scene):
    """As Debian's package for an architecture has them: libbcc would look for others."""
    tree = headers_tree(scene, RELEASE)
    os.remove(tree + "/include/linux/kconfig.h")
    refused("BCC_KERNEL_SOURCE", "include/linux/kconfig.h", options=("--types", "headers"),
            before=("env", "BCC_KERNEL_SOURCE=" + tree))


@test
def headers_that_do_not_compile(scene):
    """clang's pages are for -v; without, one line."""
    before = ("env", "BCC_KERNEL_SOURCE=" + headers_tree(scene, RELEASE))
    options = ("--types", "headers", "--no-cache")
    refused("--types btf", "-v", options=options, before=before)
    status, _, err = once(*EXTRA, *options, "-v", before=before)
    equal(status, 1, "status")
    check("error:" in err, "-v does not show what clang said: %r" % err[:200])


# What the machine lacks.

@test
def no_library(scene):
    empty = os.path.join(scene.directory(), "empty")
    with open(empty, "w"):
        pass
    before = mounts("mount --bind %s %s" % (empty, library()))
    for more in (("--no-cache",), ("--cache-dir", new_cache(scene))):
        refused("libbcc", "install libbpfcc", options=more, before=before)


@test
def library_gone(scene):
    """What was compiled before needs none."""
    cache = new_cache(scene)
    before = possible(mounts(*writable("/usr/lib"), "rm " + library()),
                      "no overlay over /usr/lib")
    refused("libbcc", "install libbpfcc", options=("--cache-dir", cache), before=before)
    works(scene, "--cache-dir", cache)
    works(scene, "--cache-dir", cache, before=before)


@test
def no_tracefs(scene):
    """Nothing is lost: an attempt that fails at once is seen, too."""
    before = mounts("umount /sys/kernel/tracing 2>/dev/null || true",
                    "umount -R /sys/kernel/debug 2>/dev/null || true",
                    "! [ -e /sys/kernel/tracing/events ]")
    client = scene.client()
    tool = scene.tool("-p", client.pid, before=before)
    client.run("127.0.0.1", 80)
    client.run("192.0.2.1", 81)  # no route
    rows = tool.finish()
    equal([row.dport for row in rows], [80, 81], "events")
    equal(tool.err(), "", "on standard error")


@test
def no_bpffs(scene):
    """Only the options that take a pinned map need it."""
    before = mounts("umount -R /sys/fs/bpf 2>/dev/null || true")
    works(scene, before=before)
    for option in ("--cgroupmap", "--mntnsmap"):
        refused(option, "/sys/fs/bpf/none", "bpftool", options=(option, "/sys/fs/bpf/none"),
                before=before)


@test
def no_modules_directory(scene):
    before = mounts(*hidden(scene, "/lib/modules"))
    for more in (("--no-cache",), ()):
        works(scene, *more, before=before)
    refused("install linux-headers-" + RELEASE, options=("--types", "headers"), before=before)


# What this process may not do.

@test
def two_capabilities(scene):
    """CAP_BPF and CAP_PERFMON are enough; what is lost is said in a line, nothing else is."""
    start = json.loads(once("--check", "--json", *EXTRA, before=TWO)[1])["start"]
    lost = start["without"]
    readable = subprocess.run([*TWO, "cat", "/sys/kernel/tracing/events/syscalls/"
                               "sys_enter_connect/id"], stderr=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL).returncode == 0
    if start["probe"] != "tracepoint":
        equal(lost, [], "lost by " + start["probe"])
    elif not readable:
        equal(len(lost), 1, "lost without tracefs")
        check("fail at once" in lost[0], "lost: %r" % lost)
    for options in ((), ("-r",), ("-L",), ("-U", "-t"), ("-c",), ("-d",)):
        if "-d" in options and start["probe"] == "tracepoint" and start["pages"] is None:
            scene.note("no names by tracepoint: this kernel refuses perf events")
            continue
        equal(works(scene, *options, before=TWO),
              "".join("tcpconnect: note: %s here\n" % sentence for sentence in lost),
              "what it said with %s" % (options,))


@test
def one_capability(scene):
    for there, missing in (("bpf", "PERFMON"), ("perfmon", "BPF")):
        refused("missing CAP_%s:" % missing, "run as root",
                before=NOBODY + ("--inh-caps=+" + there, "--ambient-caps=+" + there,
                                 "--bounding-set=-all,+" + there))


@test
def user_namespace(scene):
    """All capabilities, and none that counts."""
    before = ("unshare", "--user", "--map-root-user")
    possible(before, "no user namespaces")
    refused("bpf()", "user namespace", "outside the container", before=before)


@test
def forbidden_bpf(scene):
    forbid = scene.live.program("forbid")
    for more in ((), ("--no-cache",), ("-c",)):
        refused("bpf()", "seccomp", "outside the container", options=more,
                before=(forbid, "bpf", str(errno.EPERM)))
        refused("bpf()", "CONFIG_BPF_SYSCALL", "seccomp", options=more,
                before=(forbid, "bpf", str(errno.ENOSYS)))


@test
def forbidden_perf_events(scene):
    """One ring buffer does instead, but not for whole packets, which are not tried in vain."""
    forbid = scene.live.program("forbid")
    if not ring_buffers(scene):
        raise Skip("this kernel has no BPF ring buffers (Linux 5.8)")
    for number in (errno.EPERM, errno.EACCES, errno.ENOSYS):
        before = (forbid, "perf_event_open", str(number))
        for more in ((), ("-c",), ("-r", "-L"), ("--pages", "8")):
            client = scene.client()
            tool = scene.tool("-p", client.pid, "--probe", "tracepoint", *more, before=before)
            client.run("127.0.0.1", 80)
            tool.stop()
            equal(len(tool.counts() if tool.count else tool.rows()), 1, "events of %s" % (more,))
            equal([("fail at once" in note) for note in tool.err().splitlines()], [True],
                  "notes of %s" % (more,))
        said_in_one_line(*once("-d", "--probe", "tracepoint", before=before), "perf_event",
                         "perf_event_paranoid" if number == errno.EACCES and perf_event_paranoid() > 2
                         else "outside the container")


def ring_buffers(scene):
    """Whether the tool uses one."""
    tool = scene.tool("-P", "7074")
    held = tool.kernel_objects()["map"]
    names = [json.loads(command("bpftool", "-j", "map", "show", "id", n))["type"] for n in held]
    tool.stop()
    return "ringbuf" in names


@test
def forbidden_mounts_and_filters(scene):
    """The compiler's own /tmp and its filter are not to be had: it compiles all the same."""
    forbid = scene.live.program("forbid")
    for call in ("unshare", "seccomp"):
        works(scene, "--no-cache", before=(forbid, call, str(errno.EPERM)))


# Where room is short.

@test
def cache_not_writable(scene):
    read_only = mounts("mount -t tmpfs -o ro,mode=755 live /mnt")
    full = mounts("mount -t tmpfs -o size=4k,nr_inodes=4,mode=755 live /mnt",
                  "mkdir -m 700 /mnt/cache", "head -c 4096 /dev/zero >/mnt/fill")
    for before, path, reason in ((read_only, "/mnt", "Read-only"),
                                 (read_only, "/mnt/cache", "Read-only"),
                                 (full, "/mnt/cache", "No space left")):
        client = scene.client()
        tool = scene.tool("-v", "-p", client.pid, "--cache-dir", path, before=before)
        client.run("127.0.0.1", 80)
        tool.stop()
        equal([row.pid for row in tool.rows()], [client.pid], "events")
        check(re.search(r": (nothing is|not) kept: .*/mnt.*%s" % reason, tool.err()),
              "-v does not tell why nothing is kept: %r" % tool.err())


def small_tmp(scene, options, last):
    """A /tmp of little room, in which this run's own directory stays to be seen."""
    run = scene.live.directory
    if os.path.dirname(run) != "/tmp":
        raise Skip("this run's own files are not in /tmp but in " + os.path.dirname(run))
    there = "/mnt/" + os.path.basename(run)
    return mounts("mount -t tmpfs -o mode=1777,%s live /mnt" % options, "mkdir " + there,
                  "mount --bind %s %s" % (run, there), last, "mount --rbind /mnt /tmp")


@test
def no_room_in_tmp(scene):
    """Root compiles in a /tmp of its own; others are told of TMPDIR."""
    other = scene.directory()
    os.chmod(other, 0o777)
    for before, reason in (
            (small_tmp(scene, "size=64k", "mount -o remount,ro /mnt"), "Read-only"),
            (small_tmp(scene, "size=4k", "head -c 4096 /dev/zero >/mnt/fill"), "No space left")):
        works(scene, "--no-cache", before=before)
        refused("/tmp", reason, "TMPDIR", options=("--no-cache",), before=before + TWO)
        works(scene, "--no-cache", before=before + TWO + ("env", "TMPDIR=" + other))


@test
def little_address_space(scene):
    cache = new_cache(scene)
    little = ("prlimit", "--as=%d" % (100 << 20))
    refused("ulimit -v", options=("--no-cache",), before=little)
    refused("ulimit -v", options=("--cache-dir", cache), before=little)
    works(scene, "--cache-dir", cache)
    works(scene, "--cache-dir", cache, before=little)


@test
def enough_for_the_library_not_for_the_compiler(scene):
    """However it ends, it ends with one line, and sooner or later there is enough."""
    # Started by something that ignores SIGCHLD, it still learns how its helper ended.
    ignoring = ("env", "--ignore-signal=CHLD")
    for megabytes in range(200, 601, 10):
        status, out, err = once(*EXTRA, "--no-cache", "--duration", "1",
                                before=(*ignoring, "prlimit", "--as=%d" % (megabytes << 20)))
        if status == 0:
            return
        said_in_one_line(status, out, err, "ulimit -v")
    check(False, "600 MB are not enough")


@test
def no_file_may_grow(scene):
    """It says so, and where a small one may, it works and keeps nothing."""
    refused("ulimit -f", options=("--no-cache",), before=("prlimit", "--fsize=0"))
    cache = new_cache(scene)
    status, _, err = once(*EXTRA, "-v", "--cache-dir", cache, "--duration", "1",
                          before=("prlimit", "--fsize=10000"))
    check(status == 0 and "not kept: %s: %s\n" % (cache, os.strerror(errno.EFBIG)) in err,
          "status %d: %s" % (status, one_line(err)))


@test
def few_open_files(scene):
    """16 and the like: it works or says so, cold and warm. Never is less seen for it."""
    cache = new_cache(scene)
    works(scene, "--cache-dir", cache)
    worked = 0
    for limit in (4, 5, 6, 8, 10, 12, 14, 16, 18, 20, 24):
        for more in (("--no-cache",), ("--cache-dir", cache)):
            status, out, err = once(*EXTRA, *more, "--duration", "1",
                                    before=("prlimit", "--nofile=%d" % limit))
            if status == 0:
                worked += 1
                check("fail at once" not in err, "less is seen: %r" % err)
            else:
                said_in_one_line(status, out, err, "ulimit -n")
    check(worked or os.cpu_count() > 4, "24 are not enough")


@test
def soft_limit_of_open_files(scene):
    """That one, the tool lifts itself."""
    for more in (("--no-cache",), ()):
        equal(works(scene, *more, before=("prlimit", "--nofile=12:1024")), "", "on standard error")


@test
def little_locked_memory(scene):
    """Smaller buffers are taken where none were asked for; those asked for are had or refused."""
    if perf_event_paranoid() < 0 or perf_event_paranoid() > 2:
        raise Skip("kernel.perf_event_paranoid is %d: nothing counts as locked, or all is "
                   "refused" % perf_event_paranoid())
    little = TWO + ("prlimit", "--memlock=65536")
    options = ("--probe", "tracepoint")
    tool = scene.tool("-v", *options, before=little)
    tool.stop()
    had = re.search(r"perf buffers of (\d+) pages", tool.err())
    check(had and 0 < int(had.group(1)) < 1024, "buffers: %r" % tool.err())
    refused("65536 pages", "--pages", "ulimit -l", "CAP_IPC_LOCK",
            options=options + ("--pages", "65536"), before=little)


@test
def no_new_process(scene):
    refused("processes", "ulimit -u", options=("--no-cache",),
            before=TWO[:-1] + ("--bounding-set=-all,+bpf,+perfmon", "prlimit", "--nproc=1"))


@test
def kernel_symbols_unread(scene):
    """Compiling does not take in the kernel's list of symbols: here that would never end."""
    fifo = os.path.join(scene.directory(), "fifo")
    os.mkfifo(fifo)
    got = once(*EXTRA, "--no-cache", "--duration", "1",
               before=mounts("mount --bind %s /proc/kallsyms" % fifo))
    equal((got[0], got[2]), (0, ""), "status, standard error")
    with open("/proc/mounts") as table:
        check("kallsyms" not in table.read(), "the other file stays in its place")
