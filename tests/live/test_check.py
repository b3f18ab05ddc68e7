# SPDX-License-Identifier: Apache-2.0
"""--check: each line is true, the last one above all, and nothing stays behind."""

import json
import os
import re
import shutil
import tempfile

from harness import EXTRA, check, equal, one_line, test
from places import perf_event_paranoid
from test_failures import NOBODY, TWO, hidden, library, mounts, new_cache, ring_buffers
from tool import once

ROWS = ["capabilities", "memory lock", "libbcc", "tracefs", "bpffs", "cgroup v2", "cache",
        "sandbox", "BPF", "BPF maps", "kernel memory", "lockdown", "BTF", "headers", "kprobes",
        "names by kprobe", "fentry", "names by fentry", "tracepoints", "names by tracepoint",
        "perf buffers", "tracing"]


def table(*options, before=(), status=None):
    """{name: (answer, reason)} in the order printed."""
    got, out, err = once("--check", *options, before=before)
    equal(err, "", "on standard error")
    rows = {}
    for line in out.splitlines():
        found = re.fullmatch(r"([A-Za-z][A-Za-z2 ]*?) +(yes|no|\?) +(\S.*)", line)
        check(found, "a line of no such form: %r" % line)
        rows[found.group(1)] = found.groups()[1:]
    equal(list(rows), ROWS, "lines")
    equal(got, 0 if rows["tracing"][0] == "yes" else 1, "status")
    if status is not None:
        equal(got, status, "status (%s)" % rows["tracing"][1])
    return rows


def has(rows, name, answer, *words):
    equal(rows[name][0], answer, "%s (%s)" % (name, rows[name][1]))
    for word in words:
        check(word in rows[name][1], "%s: %r is not in %r" % (name, word, rows[name][1]))


@test
def tells_what_a_start_uses(scene):
    rows = table(*EXTRA, status=0)
    has(rows, "tracing", "yes", "--probe " + scene.way)
    for name in ("BPF", "BPF maps", "kernel memory", "perf buffers", "capabilities", "libbcc"):
        has(rows, name, "yes")
    options = rows["tracing"][1].split(",")[0].split()
    with_them = scene.tool("-v", *options)
    with_them.stop()
    check("attached by " + scene.way in with_them.err(), "that does not start so")


@test
def tells_the_truth_of_each_way(scene):
    """Its status, and what a start with the same options does."""
    for options in ((), ("--probe", "kprobe"), ("--probe", "fentry"), ("--probe", "tracepoint"),
                    ("-d",), ("-r",), ("-c",)):
        rows = table(*options)
        status, _, err = once(*options, "--duration", "1")
        equal(status, 0 if rows["tracing"][0] == "yes" else 1, "status of %s" % (options,))
        if status:
            equal("tcpconnect: %s\n" % rows["tracing"][1], err, "reason of %s" % (options,))


@test
def one_object(scene):
    status, out, err = once("--check", "--json", *EXTRA)
    equal((status, err, out.count("\n")), (0, "", 1), "status, error, lines")
    found, rows = json.loads(out), table(*EXTRA)
    answers = {"yes": True, "no": False, "?": None}
    equal({name: (row["yes"], row["reason"]) for name, row in found["checks"].items()},
          {name.lower().replace(" ", "_"): (answers[answer], reason)
           for name, (answer, reason) in rows.items() if name != "tracing"}, "lines")
    equal((found["works"], found["start"]["probe"], found["reason"]), (True, scene.way, None),
          "start")
    status, out, _ = once("--check", "--json", before=NOBODY + ("--bounding-set=-all",))
    found = json.loads(out)
    equal((status, found["works"], found["start"]), (1, False, None), "without root")
    check("CAP_BPF" in found["reason"], "reason: %r" % found["reason"])


@test
def without_root(scene):
    rows = table(before=NOBODY + ("--bounding-set=-all",), status=1)
    has(rows, "tracing", "no", "CAP_BPF", "CAP_PERFMON", "run as root")
    has(rows, "capabilities", "no", "held: none", "missing: CAP_BPF CAP_PERFMON CAP_SYS_ADMIN")
    has(rows, "BPF", "no", "CAP_BPF")
    has(rows, "libbcc", "yes", "libbcc.so")
    if os.access("/sys/kernel/btf/vmlinux", os.R_OK):
        has(rows, "BTF", "yes", "fields")
    for name in ("BPF maps", "kprobes", "fentry", "tracepoints", "perf buffers"):
        has(rows, name, "no", "not tried")


@test
def two_capabilities(scene):
    rows = table(before=TWO, status=0)
    has(rows, "capabilities", "yes", "held: CAP_BPF CAP_PERFMON;")
    has(rows, "sandbox", "no", "CAP_SETPCAP")
    for name in ("BPF", "kernel memory"):
        has(rows, name, "yes")
    if perf_event_paranoid() > 2:
        has(rows, "perf buffers", "no", "kernel.perf_event_paranoid")
    else:
        has(rows, "perf buffers", "yes")


@test
def forbidden_calls(scene):
    forbid = scene.live.program("forbid")
    rows = table(before=(forbid, "bpf", "1"), status=1)
    has(rows, "BPF", "no", "seccomp")
    has(rows, "tracing", "no", "seccomp")
    has(rows, "capabilities", "yes")
    rows = table("--probe", "tracepoint", before=(forbid, "perf_event_open", "1"))
    has(rows, "perf buffers", "no", "perf_event_open()")
    has(rows, "BPF", "yes")
    has(rows, "kprobes", "no")
    if ring_buffers(scene):
        has(rows, "tracing", "yes", "one ring buffer", "fail at once")
        check("--pages" not in rows["tracing"][1], "pages of what?")


@test
def what_is_hidden(scene):
    rows = table(before=mounts(*hidden(scene, "/sys/kernel/btf"),
                               "awk '$3 == \"bpf\" { print $2 }' /proc/self/mounts | "
                               "xargs -r umount -l"))
    has(rows, "BTF", "no", "/sys/kernel/btf/vmlinux")
    has(rows, "fentry", "no", "BTF")
    has(rows, "bpffs", "no", "--cgroupmap")


@test
def what_is_mounted(scene):
    """A path that would play with the terminal does not."""
    path = os.path.join(scene.directory(), "a b\033[31m")
    os.mkdir(path)
    rows = table(before=mounts("mount -t bpf live '%s'" % path))
    equal(rows["bpffs"], ("yes", "at " + path.replace("\033", "\\x1b")), "bpffs")
    rows = table(before=mounts("mkdir -p /sys/kernel/security",
                               "mount -t securityfs live /sys/kernel/security"))
    if os.path.exists("/sys/kernel/security/lockdown"):
        has(rows, "lockdown", "no", "mode none")


@test
def without_proc(scene):
    """What is mounted cannot be told, and what is skipped not be counted."""
    rows = table(*EXTRA, before=mounts("mount -t tmpfs live /proc"))
    has(rows, "bpffs", "?", "/proc")
    has(rows, "cgroup v2", "?", "/proc")
    if rows["tracing"][0] == "yes":
        has(rows, "tracing", "yes", "not counted")


@test
def user_that_cannot_be(scene):
    """It says what a start says: one line, before the banner."""
    before = ("setpriv", "--bounding-set=-setuid,-setgid")
    rows = table("--user", "daemon", *EXTRA, status=1, before=before)
    has(rows, "sandbox", "no", "CAP_SETUID")
    has(rows, "tracing", "no", "CAP_SETUID")
    status, out, err = once("--user", "daemon", "--duration", "1", *EXTRA, before=before)
    equal((status, out, err.count("\n")), (1, "", 1), "status, output, lines of errors")
    check(rows["tracing"][1] in err, one_line(err))


@test
def library_missing(scene):
    empty = os.path.join(scene.directory(), "empty")
    with open(empty, "w"):
        pass
    rows = table("--no-cache", before=mounts("mount --bind %s %s" % (empty, library())), status=1)
    has(rows, "libbcc", "no", "install libbpfcc")
    has(rows, "tracing", "no", "install libbpfcc")


@test
def options_count(scene):
    rows = table("--pages", "8", "--no-cache", "--no-sandbox", *EXTRA, status=0)
    has(rows, "perf buffers", "yes", "8 pages")
    has(rows, "tracing", "yes", "--pages 8", "compiled now")
    has(rows, "cache", "no", "--no-cache")
    has(rows, "sandbox", "no", "--no-sandbox")
    check("--pages" not in table("-c", *EXTRA, status=0)["tracing"][1], "-c has no buffers")
    has(table("--cgroup", "/proc"), "tracing", "no", "--cgroup")


def entries(path):
    return {name: os.stat(os.path.join(path, name)).st_mtime_ns for name in os.listdir(path)}


@test
def nothing_stays(scene):
    """It looks into the cache and puts nothing there."""
    cache = new_cache(scene)
    rows = table("--cache-dir", cache, *EXTRA, status=0)
    has(rows, "cache", "yes", cache)
    has(rows, "tracing", "yes", "compiled now")
    equal(entries(cache), {}, "in the cache")
    rows = table("--cache-dir", cache + "/none", *EXTRA, status=0)
    has(rows, "cache", "no", cache + "/none")
    equal(os.listdir(cache), [], "in the directory of the cache that is not there")
    once("--cache-dir", cache, "--duration", "1", *EXTRA)
    before = entries(cache)
    check(before, "nothing was compiled")
    has(table("--cache-dir", cache, *EXTRA, status=0), "tracing", "yes", "compiled before")
    equal(entries(cache), before, "in the cache")


@test
def few_open_files(scene):
    """It ends with an answer, whatever it has to do without."""
    for limit in (6, 10, 16):
        status, out, err = once("--check", before=("prlimit", "--nofile=%d" % limit))
        check(status in (0, 1), "status %d: %s" % (status, one_line(err)))
        check(re.search(r"^tracing  ", out, re.M), "no answer: %r" % one_line(err))


@test
def few_open_files_to_begin_with(scene):
    """A start lifts the limit as far as it may; so what it would do is tried with that."""
    rows = table(*EXTRA, before=("prlimit", "--nofile=5:1024"), status=0)
    has(rows, "libbcc", "yes")
    has(rows, "sandbox", "yes")


@test
def no_new_process(scene):
    """What is tried in a process of its own is not known then; a compiled program starts."""
    cache = tempfile.mkdtemp()
    scene.callback(shutil.rmtree, cache)
    os.chown(cache, 65534, 65534)
    options = ("--cache-dir", cache, *EXTRA)
    equal(once(*options, "--duration", "1", before=TWO)[0], 0, "status of a start")
    rows = table(*options, before=TWO[:-1] + ("--bounding-set=-all,+bpf,+perfmon", "prlimit",
                                              "--nproc=1"), status=0)
    has(rows, "libbcc", "?", "ulimit -u")
    has(rows, "sandbox", "?", "ulimit -u")


@test
def full_disk(scene):
    """An answer that nobody gets is no yes."""
    with open("/dev/full", "w") as full:
        status, _, err = once("--check", stdout=full)
    equal(status, 1, "status")
    check("standard output" in err, "error: %r" % err)
