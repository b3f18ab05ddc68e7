# SPDX-License-Identifier: Apache-2.0
"""What the scenarios share: result lines, tracers under test, and traffic.

A scenario prints one line a check, which tests/vm/matrix totals:

    ok NAME
    not ok NAME - why
    skip NAME - reason

NAME begins with the way ("kprobe:btf -tLU"), or with "-" where no way of ours takes part.
"""

import ctypes
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time
import traceback

OURS = os.environ.get("TOOL", "/vm/build/tcpconnect")
BCC = "/usr/sbin/tcpconnect-bpfcc"
ANNOUNCED = "Tracing connect ... Hit Ctrl-C to end"

PATIENCE = int(os.environ.get("patience", "1"))  # factor of all time limits, from `boot`

failures = 0


def say(line):
    print(line, flush=True)


def one_line(text, limit=300):
    return re.sub(r"[^ -~]+", " | ", str(text)).strip(" |")[:limit]


def ok(name):
    say("ok " + name)
    return True


def not_ok(name, why):
    global failures
    failures += 1
    say("not ok %s - %s" % (name, one_line(why)))
    return False


def skip(name, reason):
    say("skip %s - %s" % (name, one_line(reason)))


def check(condition, name, why=""):
    return ok(name) if condition else not_ok(name, why or "is not so")


def equal(got, wanted, name):
    """One check that two texts (or values) are equal; says where they part if not."""
    if got == wanted:
        return ok(name)
    if isinstance(got, (list, tuple)):
        got, wanted = list(got), list(wanted)
        for at, (g, w) in enumerate(zip(got, wanted)):
            if g != w:
                return not_ok(name, "line %d of %d/%d: got %r, wanted %r"
                              % (at + 1, len(got), len(wanted), g, w))
        more = got[len(wanted):] or wanted[len(got):]
        return not_ok(name, "%d lines for %d; first one too %s: %r"
                      % (len(got), len(wanted), "many" if len(got) > len(wanted) else "few",
                         more[0]))
    return not_ok(name, "got %r, wanted %r" % (got, wanted))


def way_options(way):
    """"kprobe:btf" -> its options; "auto" -> none."""
    if OURS == BCC or way == "auto":
        return []
    probe, types = way.split(":")
    return ["--probe", probe, "--types", types]


def ways_and_extent(words):
    """["kprobe:btf", "kprobe:headers/short"] -> [("kprobe:btf", "full"), (..., "short")]"""
    return [(word.partition("/")[0], word.partition("/")[2] or "full") for word in words]


def took(way, since):
    """Say what a way's part of the scenario cost."""
    say("# took %s %.1f" % (way, time.monotonic() - since))


def run(*argv, **more):
    """Run a command to its end; what it printed, or an exception."""
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, universal_newlines=True,
                          **more).stdout


def jiffies(pid):
    """(state, processor time used so far) of a process."""
    with open("/proc/%d/stat" % pid, "rb") as f:
        fields = f.read().rpartition(b")")[2].split()
    return fields[0], int(fields[11]) + int(fields[12])


class Tool:
    """A tracer: started at once, its output in files."""

    def __init__(self, argv, label=None, environ=None):
        self.argv = list(argv)
        self.label = label or " ".join(argv)
        Tool.number = getattr(Tool, "number", 0) + 1
        base = "/tmp/tool-%03d" % Tool.number
        self.out_path, self.err_path = base + ".out", base + ".err"
        env = dict(os.environ, PYTHONUNBUFFERED="1", **(environ or {}))
        with open(self.out_path, "wb") as out, open(self.err_path, "wb") as err:
            self.process = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=env,
                # Ctrl-C must reach it even if an ancestor of ours ignores that.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        self.started = time.monotonic()
        self.status = None

    def out(self):
        with open(self.out_path, "rb") as f:
            return f.read()

    def err(self):
        with open(self.err_path, "rb") as f:
            return f.read().decode(errors="replace")

    def lines(self):
        return self.out().split(b"\n")[:-1]

    def announced(self):
        return ANNOUNCED.encode() in self.out() and self.out().endswith(b"\n")

    def alive(self):
        return self.process.poll() is None

    def stop(self, signum=signal.SIGINT, timeout=60):
        """End it; its exit status, negative for a signal, None if it had to be killed."""
        if self.alive():
            self.process.send_signal(signum)
        try:
            self.status = self.process.wait(timeout * PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            self.status = None
        return self.status


def quiet(tools, seconds=1.0, timeout=60):
    """Wait until all of the tools sleep: no more than a tick of work in the given time."""
    end = time.monotonic() + timeout * PATIENCE
    while time.monotonic() < end:
        before = {t: jiffies(t.process.pid)[1] for t in tools if t.alive()}
        time.sleep(seconds)
        if all(jiffies(t.process.pid)[1] - before[t] <= 2 for t in before if t.alive()):
            return True
    return False


def ready(tools, timeout=600):
    """Wait until every tool has announced itself, and then has settled: bcc's opens its
    buffers after it announces. Those that did not make it, in a list."""
    end = time.monotonic() + timeout * PATIENCE
    waiting = list(tools)
    while waiting and time.monotonic() < end:
        waiting = [t for t in waiting if not t.announced() and t.alive()]
        time.sleep(0.2)
    quiet([t for t in tools if t.announced()])
    return [t for t in tools if not t.announced() or not t.alive()]


def start_all(argvs, timeout=600):
    """Start tools, one starting a processor at a time: switching between processes is what the
    emulator is worst at. The tools, and those of them that did not make it (timeout: seconds for
    each); all others have settled."""
    tools = []
    for argv in argvs:
        began = time.monotonic()
        while len([t for t in tools if t.alive() and not t.announced()]) >= os.cpu_count():
            if time.monotonic() - began > timeout * PATIENCE:
                break
            time.sleep(0.1)
        tools.append(Tool(argv))
    return tools, ready(tools, timeout)


def start(argv, name, label=None, timeout=600):
    """Start one tool and wait for it; None, and a failed check, if it does not get there."""
    tool = Tool(argv, label)
    if ready([tool], timeout):
        not_ok(name, "did not start: status %s: %s" % (tool.stop(), tool.err() or "says nothing"))
        return None
    return tool


class Worker:
    """A process that connects when told to: with a name, a user, a processor, a control group
    or a mount namespace of its own. It exists, and its PID is known, before it connects."""

    def __init__(self, comm, uid=0, cpu=None, cgroup=None, mntns=False):
        self.comm = comm if isinstance(comm, bytes) else comm.encode()
        self.uid = uid
        self.near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.pid = os.fork()
        if self.pid:
            far.close()
            self.expect()
            return
        status = 1
        try:
            self.near.close()
            self.live(far, cpu, cgroup, mntns)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(status)

    def live(self, orders, cpu, cgroup, mntns):
        if cgroup:
            with open(os.path.join(cgroup, "cgroup.procs"), "w") as f:
                f.write(str(os.getpid()))
        if mntns:
            if ctypes.CDLL(None, use_errno=True).unshare(0x00020000) != 0:  # CLONE_NEWNS
                raise OSError(ctypes.get_errno(), "unshare")
        if cpu is not None:
            os.sched_setaffinity(0, {cpu})
        with open("/proc/self/comm", "wb") as f:
            f.write(self.comm)
        if self.uid:
            os.setresgid(self.uid, self.uid, self.uid)
            os.setresuid(self.uid, self.uid, self.uid)
        orders.send(b"ready")
        while True:
            order = orders.recv(4096).decode()
            if order in ("", "end"):  # empty: the scenario has ended, however
                return
            said = []
            for word in order.split(";"):
                said.append(connect(*word.split(",")))
            orders.send(";".join(said).encode())

    def order(self, *targets):
        """Have it connect to each (address, port[, kind]) in turn; returns at once."""
        self.near.send(";".join(",".join(map(str, t)) for t in targets).encode())

    def expect(self):
        """Wait until it has done so: a list of "ERRNO LPORT" words."""
        answer = self.near.recv(65536).decode()
        if not answer:
            raise RuntimeError("worker %r died" % self.comm)
        return answer.split(";")

    def connect(self, *targets):
        self.order(*targets)
        return self.expect()

    def end(self):
        self.near.send(b"end")
        os.waitpid(self.pid, 0)
        self.near.close()


held = []  # sockets of connects of the kind "hold"


def connect(address, port, kind="blocking"):
    """One connect, "ERRNO LPORT": the error or 0, and the port it came from or 0.

    kind: blocking; nonblocking; twice, nonblocking and asked again; fastopen, by sendto(); hold,
    keep the socket open; release, close those; unspec and short, no address to connect to."""
    port = int(port)
    if kind == "release":
        while held:
            held.pop().close()
        return "0 0"
    six = ":" in address
    sock = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_STREAM)
    sock.setblocking(kind not in ("nonblocking", "twice"))
    # Closing with a reset leaves no TIME_WAIT behind, so that ports never run out.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    error = 0
    if kind == "fastopen":
        try:
            sock.sendto(b"x", socket.MSG_FASTOPEN, (address, port))
        except OSError as e:
            error = e.errno
    elif kind in ("unspec", "short"):
        libc = ctypes.CDLL(None, use_errno=True)
        raw = struct.pack("=H14x", socket.AF_UNSPEC)
        if kind == "short":
            raw = struct.pack("=H", socket.AF_INET)
        if libc.connect(sock.fileno(), raw, len(raw)):
            error = ctypes.get_errno()
    else:
        error = sock.connect_ex((address, port))
        if kind == "twice":
            error = sock.connect_ex((address, port))
    try:
        lport = sock.getsockname()[1]
    except OSError:
        lport = 0
    if kind == "hold":
        held.append(sock)
    else:
        sock.close()
    return "%d %d" % (error, lport)


def listen(address, port):
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET,
                         socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((address, port))
    sock.listen(4096)
    return sock


def pin(path, value_size, keys):
    """A pinned hash map with u64 keys, as --cgroupmap and --mntnsmap take it."""
    run("bpftool", "map", "create", path, "type", "hash", "key", "8", "value", str(value_size),
        "entries", "1024", "name", os.path.basename(path))
    for key in keys:
        pin_add(path, value_size, key)


def pin_add(path, value_size, key):
    def octets(number, size):
        return ["%d" % b for b in number.to_bytes(size, sys.byteorder)]
    run("bpftool", "map", "update", "pinned", path, "key", *octets(key, 8),
        "value", *octets(1, value_size))


def pin_delete(path, key):
    run("bpftool", "map", "delete", "pinned", path, "key",
        *["%d" % b for b in key.to_bytes(8, sys.byteorder)])


def main(scenario):
    """Run a scenario's function with the ways from the command line."""
    try:
        scenario(sys.argv[1:])
    except BaseException:
        traceback.print_exc()
        not_ok("- scenario " + os.path.basename(sys.argv[0]), "broke off: "
               + traceback.format_exc().splitlines()[-1])
    sys.exit(1 if failures else 0)
