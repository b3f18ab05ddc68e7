# SPDX-License-Identifier: Apache-2.0
"""What the tracing process has left, read from its /proc, and what a wrong call does to it."""

import ctypes
import os
import platform
import pwd
import re
import signal

from harness import Skip, Wrong, check, equal, test, wait_until
from places import perf_event_paranoid

NOTHING = "0000000000000000"
# The two that reading maps by system call may take, on kernels before 5.19.
READING = {NOTHING: None, "%016x" % (1 << 39): "CAP_BPF", "%016x" % (1 << 21): "CAP_SYS_ADMIN"}
# Options, and whether maps are read by system call (for the port with --json: by tracepoint).
MODES = (((), False), (("-d",), False), (("--json",), True), (("-c",), True), (("-r",), True))

PTRACE_SYSCALL, PTRACE_DETACH, PTRACE_POKEUSER = 24, 17, 6
PTRACE_SEIZE, PTRACE_INTERRUPT = 0x4206, 0x4207
O_TRACESYSGOOD = 1
ORIG_RAX = 15 * 8
SYS_SOCKET = 41


def status(tool):
    with open("/proc/%d/status" % tool.pid) as file:
        return dict(re.split(r":\s*", line.rstrip("\n"), maxsplit=1) for line in file)


def enclosed(tool):
    """Its status once it is in the sandbox: the first line is out a moment before."""
    return wait_until(lambda: (lambda s: s["Seccomp"] == "2" and s)(status(tool)),
                      "it filters no system calls")


def loss_memory_mapped(tool):
    """Whether losses can be read without system calls (Linux 5.5)."""
    with open("/proc/%d/maps" % tool.pid) as file:
        return "anon_inode:bpf-map" in file.read()


@test
def capabilities(scene):
    """None in any set; or, where maps are read, the one that -v names, in two sets."""
    for options, reads in MODES:
        tool = scene.tool("-v", *options) if "-c" in options else scene.launch("-v", *options)
        now = enclosed(tool)
        for name in ("CapInh", "CapBnd", "CapAmb"):
            equal(now[name], NOTHING, "%s with %s" % (name, options))
        equal(now["CapPrm"], now["CapEff"], "permitted and effective with %s" % (options,))
        check(now["CapEff"] in READING, "effective with %s: %s" % (options, now["CapEff"]))
        kept = READING[now["CapEff"]]
        check(kept is None or reads or not loss_memory_mapped(tool),
              "%s stays with %s" % (kept, options))
        equal(now["NoNewPrivs"], "1", "no_new_privs")
        wait_until(lambda: ("keeps %s" % kept in tool.err()) == (kept is not None),
                   "-v does not name what stays")
        tool.stop()


@test
def user_and_groups(scene):
    nobody = pwd.getpwnam("nobody")
    daemon = pwd.getpwnam("daemon")
    for options, user in (((), nobody), (("--user", "daemon"), daemon)):
        tool = scene.tool(*options)
        now = enclosed(tool)
        equal(now["Uid"].split(), [str(user.pw_uid)] * 4, "users")
        equal(now["Gid"].split(), [str(user.pw_gid)] * 4, "groups")
        equal(now["Groups"].strip(), "", "supplementary groups")
        tool.stop()


@test
def descriptors(scene):
    """
    Only what is waited on, what is attached, the maps, and the programs with the files that tell
    how often each was skipped; nothing inherited.
    """
    allowed = re.compile(r"anon_inode:(\[eventpoll\]|\[perf_event\]|bpf[-_]link|bpf-map|bpf-prog|"
                         r"bpf-raw-tracepoint|\[timerfd\])|/proc/\d+/fdinfo/\d+|/\d+/fdinfo/\d+")
    stray = os.open("/etc/passwd", os.O_RDONLY)
    os.set_inheritable(stray, True)
    try:
        for options, _ in MODES:
            tool = scene.tool(*options, "--netns", scene.home.path) if "--json" not in options \
                else scene.launch(*options)
            enclosed(tool)
            held = {int(n): os.readlink("/proc/%d/fd/%s" % (tool.pid, n))
                    for n in os.listdir("/proc/%d/fd" % tool.pid)}
            equal(held.pop(0), "/dev/null", "standard input")
            equal(held.pop(1), tool.out_path, "standard output")
            equal(held.pop(2), tool.err_path, "standard error")
            for number, target in held.items():
                check(allowed.fullmatch(target) or target == scene.home.path
                      or target.startswith("net:["),
                      "with %s it holds %d, %s" % (options, number, target))
            tool.stop()
    finally:
        os.close(stray)


@test
def libraries(scene):
    """What compiles was mapped by the helper alone; and no library that no option asks for."""
    for option in ("--no-cache", "-d"):
        tool = scene.tool("-v", option)
        enclosed(tool)
        if option == "--no-cache":
            check("compiling for" in tool.err(), "nothing was compiled: " + tool.err())
        with open("/proc/%d/maps" % tool.pid) as file:
            mapped = {os.path.basename(line.split()[5]) for line in file if ".so" in line}
        check(any(name.startswith("libbpf.so") for name in mapped), "maps are not whole")
        check(not any(re.match(r"lib(bcc|LLVM|clang|z3|stdc\+\+|jansson)", name)
                      for name in mapped), "with %s it maps %s" % (option, sorted(mapped)))
        tool.stop()


@test
def root_directory(scene):
    tool = scene.tool()
    enclosed(tool)
    for place in ("root", "cwd"):
        path = "/proc/%d/%s/." % (tool.pid, place)
        equal(os.listdir(path), [], place)
        try:
            os.close(os.open(path + "/file", os.O_WRONLY | os.O_CREAT))
        except OSError:
            continue
        check(False, "a file could be made in its %s" % place)
    tool.stop()


@test
def limits(scene):
    tool = scene.tool()
    enclosed(tool)
    with open("/proc/%d/limits" % tool.pid) as file:
        found = {line[:26].strip(): line[26:].split()[:2] for line in file}
    equal(found["Max core file size"], ["0", "0"], "core dumps")
    equal(found["Max processes"], ["0", "0"], "processes")
    equal(found["Max open files"], ["3", "3"], "open files")
    # Not dumpable: its /proc belongs to root though it runs as nobody.
    equal(os.stat("/proc/%d/fd" % tool.pid).st_uid, 0, "owner of its /proc")
    tool.stop()


def ptrace(request, pid, address=0, data=0):
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.restype = ctypes.c_long
    libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
    if libc.ptrace(request, pid, address, data) < 0:
        raise OSError(ctypes.get_errno(), "ptrace(%#x)" % request)


def make_it_call(pid, number):
    """At its next system call, let it make another."""
    ptrace(PTRACE_SEIZE, pid, 0, O_TRACESYSGOOD)
    ptrace(PTRACE_INTERRUPT, pid)
    os.waitpid(pid, 0)
    while True:
        ptrace(PTRACE_SYSCALL, pid)
        stopped = os.waitpid(pid, 0)[1]
        check(os.WIFSTOPPED(stopped), "it ended: %#x" % stopped)
        if os.WSTOPSIG(stopped) == signal.SIGTRAP | 0x80:
            break
    ptrace(PTRACE_POKEUSER, pid, ORIG_RAX, number)
    ptrace(PTRACE_DETACH, pid)


@test
def a_wrong_call_kills(scene):
    if platform.machine() != "x86_64":
        raise Skip("how to change a system call of another process is known for x86-64 only")
    client = scene.client()
    tool = scene.tool("-p", client.pid)
    enclosed(tool)
    client.run("127.0.0.1", 80)
    wait_until(tool.lines, "no line before the wrong call")
    make_it_call(tool.pid, SYS_SOCKET)
    equal(tool.status(), -signal.SIGSYS, "status after socket(2)")


@test
def off_for_the_debugger(scene):
    tool = scene.tool("--no-sandbox")
    now = status(tool)
    check(now["CapEff"] != NOTHING, "the capabilities are gone with --no-sandbox")
    equal(now["Uid"].split()[0], "0", "user")
    equal(now["Seccomp"], "0", "seccomp")
    tool.stop()


@test
def without_root(scene):
    """A user with the few capabilities that it takes gives up these, and stays who it is."""
    client = scene.client()
    capabilities_given = "+bpf,+perfmon,+dac_read_search"
    # Before Linux 5.11 maps count as locked memory.
    before = ("sh", "-c", 'ulimit -l unlimited 2>/dev/null; exec "$@"', "sh",
              "setpriv", "--reuid=12345", "--regid=12345", "--clear-groups",
              "--inh-caps=" + capabilities_given, "--ambient-caps=" + capabilities_given)
    tool = scene.launch("-v", "-p", client.pid, before=before)
    try:
        tool.wait()
    except Wrong:
        # Debian's kernels know a level 3, at which nothing but CAP_SYS_ADMIN opens perf buffers.
        if perf_event_paranoid() > 2 and "perf buffers" in tool.err():
            raise Skip("kernel.perf_event_paranoid is %d here" % perf_event_paranoid())
        raise
    now = enclosed(tool)
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        equal(now[name], NOTHING, name)
    equal(now["Uid"].split(), ["12345"] * 4, "users")
    equal(now["NoNewPrivs"], "1", "no_new_privs")
    client.run("127.0.0.1", 80)
    tool.stop()
    equal(len(tool.lines()), 1, "events")
    for words in ("CAP_SYS_CHROOT is missing", "CAP_SETPCAP is missing", "CAP_SETUID is missing"):
        check(words in tool.err(), "-v does not say: %s" % words)


@test
def unknown_user(scene):
    import tool
    code, out, err = tool.once("--user", "no-such-user")
    equal((code, out), (1, ""), "status and output")
    equal(err, "tcpconnect: --user: there is no user 'no-such-user'\n", "error")
