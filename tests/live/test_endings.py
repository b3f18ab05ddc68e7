# SPDX-License-Identifier: Apache-2.0
"""How it ends: by signal, by its reader, by a full disk, by kill -9; and what it leaves."""

import fcntl
import os
import re
import signal
import socket
import subprocess
import time

import places
from harness import check, equal, test, wait_until
from tool import BANNER, STARTS, argv_of, perf_events


@test
def by_interrupt(scene):
    client = scene.client()
    tool = scene.tool("-p", client.pid)
    client.run("127.0.0.1", 80)
    tool.stop(signal.SIGINT)
    equal(len(tool.lines()), 1, "events")
    equal(tool.err(), "", "standard error")


@test
def by_termination(scene):
    client = scene.client()
    for options in ([], ["-c"]):
        tool = scene.tool("-p", client.pid, *options)
        client.run("127.0.0.1", 80)
        tool.stop(signal.SIGTERM)
        equal(tool.err(), "", "standard error")
        if options:
            equal(tool.counts(), [("127.0.0.1", "127.0.0.1", 80, 1)], "counts")
        else:
            equal(len(tool.lines()), 1, "events")


@test
def with_signals_blocked(scene):
    """Started by something that blocks all signals, it still ends when asked to."""
    for number in (signal.SIGINT, signal.SIGTERM):
        tool = scene.tool(before=("env", "--block-signal"))
        tool.stop(number)
        equal(tool.err(), "", "standard error")


@test
def soon(scene):
    """Ctrl-C is answered within half a second, with nothing to show or with much."""
    client = scene.client()
    for options in ([], ["-c"]):
        tool = scene.tool("-p", client.pid, *options)
        began = time.monotonic()
        tool.stop()
        took = time.monotonic() - began
        check(took < 0.5 * scene.patience, "took %.2f s to end" % took)


@test
def before_it_began(scene):
    """Ctrl-C while it compiles."""
    tool = scene.launch("--no-cache")
    wait_until(lambda: children(tool.pid) or tool.out(), "no helper and no banner")
    tool.send(signal.SIGINT)
    equal(tool.status(), 0, "exit status")
    check(tool.out() in ("", BANNER) or tool.out().startswith(BANNER), "output: %r" % tool.out())
    equal(tool.err(), "", "standard error")


def children(pid):
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
            return [int(child) for child in f.read().split()]
    except FileNotFoundError:
        return []


@test
def reader_that_leaves(scene):
    """tcpconnect | head -n1: quiet, status 0, also when no event ever comes."""
    for options in (["-p", "1000001"], ["-c", "-p", "1000001"]):
        near, far = os.pipe()
        tool = scene.launch(*options, stdout=far)
        os.close(far)
        equal(os.read(near, len(BANNER)).decode(), BANNER, "first line")
        os.close(near)
        equal(tool.status(), 0, "exit status with %s" % options[0])
        equal(tool.err(), "", "standard error")


@test
def reader_at_a_socket_that_leaves(scene):
    """A supervisor may read from a socket; all that was written had been read."""
    for options in (["-p", "1000001"], ["-c", "-p", "1000001"]):
        near, far = socket.socketpair()
        tool = scene.launch(*options, stdout=far)
        far.close()
        said = b""
        while said.count(b"\n") < (1 if "-c" in options else 2):
            said += near.recv(1000)
        near.close()
        equal(tool.status(), 0, "exit status with %s" % options[0])
        equal(tool.err(), "", "standard error")


@test
def reader_that_leaves_under_load(scene):
    program = scene.program("connects", 2, 5000, "127.0.0.1", 80)
    near, far = os.pipe()
    tool = scene.launch("-p", program.pid, stdout=far)
    os.close(far)
    said = b""
    while said.count(b"\n") < 2:
        said += os.read(near, 1000)
    program.start()
    os.read(near, 10)
    os.close(near)
    equal(tool.status(), 0, "exit status")
    equal(tool.err(), "", "standard error")
    program.result()


@test
def reader_gone_before(scene):
    """Nobody has ever read."""
    for options in ([], ["-c"], ["-h"], ["-V"], ["--ebpf"], ["--check"]):
        near, far = os.pipe()
        os.close(near)
        tool = scene.launch(*options, stdout=far)
        os.close(far)
        equal(tool.status(), 0, "exit status with %s" % options)
        equal(tool.err(), "", "standard error with %s" % options)


@test
def closed_output(scene):
    """Told at once, and nothing is traced for nobody."""
    for redirection in ">&-", "1</dev/null":
        for options in ([], ["-c"], ["-j"], ["-h"], ["-V"], ["--ebpf"], ["--check"]):
            tool = scene.launch(*options, before=("sh", "-c", 'exec "$@" ' + redirection, "sh"))
            what = "with %s and %s" % (redirection, options)
            equal(tool.status(), 1, "exit status " + what)
            equal(tool.err(), "tcpconnect: standard output is closed, or open for reading only; "
                  "redirect it to a file, a pipe or /dev/null\n", "standard error " + what)


@test
def full_output(scene):
    for options in ([], ["-c"], ["-h"], ["-V"], ["--ebpf"]):
        with open("/dev/full", "wb") as full:
            tool = scene.launch(*options, stdout=full)
        equal(tool.status(), 1, "exit status with %s" % options)
        lost = "" if options and options != ["-c"] else "; lines lost: %d" % (3 if options else 2)
        equal(tool.err(), "tcpconnect: cannot write to standard output: "
              "No space left on device%s\n" % lost, "standard error with %s" % options)


@test
def full_later(scene):
    """The disk fills up while it traces, or the file reaches the size that it may have."""
    directory = scene.directory()
    places.call("mount", b"live", directory.encode(), b"tmpfs", 0, b"size=16k")
    scene.callback(places.call, "umount2", directory.encode(), 2)
    fills_up(scene, directory, "No space left on device")
    fills_up(scene, scene.directory(), "File too large", ("prlimit", "--fsize=16384"))


def fills_up(scene, directory, why, before=()):
    program = scene.program("connects", 1, 1000, "127.0.0.1", 80)
    with open(os.path.join(directory, "out"), "wb") as out:
        tool = scene.launch("-p", program.pid, stdout=out, before=before)
        wait_until(lambda: os.stat(out.name).st_size, "the tool does not start tracing", STARTS)
        program.run()
        equal(tool.status(), 1, "exit status")
    with open(out.name) as lines:
        written = lines.read().count("\n")
    said = tool.complaints()
    lost = re.fullmatch(r"tcpconnect: cannot write to standard output: %s; lines lost: (\d+)" % why,
                        said[0])
    check(len(said) == 1 and lost, "standard error: %s" % said)
    # The first two lines are none of the 1,000 connects', the last of which it does not await.
    check(0 < int(lost.group(1)) <= 1002 - written,
          "%d lines written, %s lost" % (written, lost.group(1)))


@test
def reader_stalls_to_the_end(scene):
    """What nobody reads is given up a second after the end is asked for, and counted."""
    for options in ([], ["-j"], ["-r"]):
        near, far = os.pipe()
        program = scene.program("connects", 1, 2000, "127.0.0.1", 80)
        tool = scene.launch("-vp", program.pid, *options, stdout=far)
        os.close(far)
        wait_until(lambda: "attached by" in tool.err(), "the tool does not start tracing", STARTS)
        program.run()
        tool.send(signal.SIGINT)
        equal(tool.status(), 1, "exit status")
        with os.fdopen(near, "rb") as pipe:
            written = pipe.read().count(b"\n")
        equal(tool.complaints()[-1], "tcpconnect: cannot write to standard output: nobody reads "
              "it; lines lost: %d" % (2000 + 2 * ("-j" not in options) - written),
              "standard error with %s" % options)


def traces(near):
    """Wait for the lines that come first, from a pipe."""
    wait_until(lambda: b"DPORT" in os.read(near, 1000), "the tool does not start tracing", STARTS)


@test
def reader_stalls_beyond_the_duration(scene):
    """-D ends it, too, with one line where that can be told, and without where it cannot."""
    for together in False, True:
        near, far = os.pipe()
        program = scene.program("connects", 1, 2000, "127.0.0.1", 80)
        more = {"before": ("sh", "-c", 'exec "$@" 2>&1', "sh")} if together else {}
        tool = scene.launch("-p", program.pid, "-D", 3, stdout=far, **more)
        os.close(far)
        traces(near)
        program.run()
        equal(tool.status(), 1, "exit status")
        with os.fdopen(near, "rb") as pipe:
            written = pipe.read().count(b"\n")
        check(0 < written < 2000, "lines written: %d" % written)
        said = tool.complaints()
        equal([line.partition(";")[0] for line in said], [] if together else [
              "tcpconnect: cannot write to standard output: nobody reads it"], "standard error")


@test
def terminal_stalls_beyond_the_duration(scene):
    """A terminal that nobody reads: a line that has gone dead, say."""
    near, far = os.openpty()
    program = scene.program("connects", 1, 2000, "127.0.0.1", 80)
    tool = scene.launch("-p", program.pid, "-D", 3, stdout=far)
    os.close(far)
    traces(near)
    program.run()
    equal(tool.status(), 1, "exit status")
    os.close(near)
    equal([line.partition(";")[0] for line in tool.complaints()],
          ["tcpconnect: cannot write to standard output: nobody reads it"], "standard error")


@test
def reader_of_both_stalls(scene):
    """Standard error is the same pipe: that it cannot be written to keeps nobody waiting, however
    often it is told to end."""
    near, far = os.pipe()
    program = scene.program("connects", 1, 2000, "127.0.0.1", 80)
    tool = scene.launch("-p", program.pid, stdout=far, before=("sh", "-c", 'exec "$@" 2>&1', "sh"))
    os.close(far)
    traces(near)
    program.run()
    time.sleep(1)  # now it waits for its reader
    for _ in range(30):
        tool.send(signal.SIGTERM)
        time.sleep(0.1)
    equal(tool.status(), 1, "exit status")
    os.close(near)


@test
def reader_is_slow(scene):
    """It loses nothing, if it takes but twenty lines a second; a signal or -D ends it all the same."""
    near, far = os.pipe()
    fcntl.fcntl(far, fcntl.F_SETPIPE_SZ, 4096)
    program = scene.program("connects", 1, 150, "127.0.0.1", 80)
    tool = scene.launch("-p", program.pid, "-D", 2, stdout=far)
    os.close(far)
    traces(near)
    program.run()
    lines, more = b"", b"first"
    while more:
        time.sleep(0.05)
        more = os.read(near, 72)
        lines += more
    os.close(near)
    equal(tool.status(), 0, "exit status")
    equal((lines.count(b"\n"), tool.complaints()), (150, []), "lines and standard error")


def everywhere(kind):
    return {entry["id"] for entry in places.bpftool(kind, "show") or []}


def left(held):
    return {kind: ids & everywhere(kind) for kind, ids in held.items() if ids & everywhere(kind)}


def kprobes():
    """What is probed by anybody, where debugfs shows it."""
    try:
        with open("/sys/kernel/debug/kprobes/list") as f:
            return sorted(line.split()[2].split("+")[0] for line in f)
    except OSError:
        return []


@test
def by_kill(scene):
    """kill -9: no program, map, link or perf event of it stays."""
    probed = kprobes()
    for options in ([], ["-cL"], ["-d"]):
        tool = scene.tool("-P", "7074", *options)
        held = tool.kernel_objects()
        for kind in ("prog", "map"):
            check(held[kind] and held[kind] <= everywhere(kind), "%s: %s" % (kind, held[kind]))
        check(held["link"] or perf_events(tool.pid), "nothing is attached")
        tool.send(signal.SIGKILL)
        tool.status()
        wait_until(lambda: not left(held), "still in the kernel: %s" % left(held))
        equal(perf_events(tool.pid), [], "perf events")
    wait_until(lambda: kprobes() == probed, "kprobes left: %s" % kprobes())


@test
def by_kill_while_compiling(scene):
    """The helper process dies with the tool: it is stopped here, so it cannot end by itself."""
    tool = scene.launch("-P", "7075", "--no-cache")
    helper = wait_until(lambda: [pid for pid in children(tool.pid) if compiling(pid)],
                        "no helper", 20)[0]
    os.kill(helper, signal.SIGSTOP)
    tool.send(signal.SIGKILL)
    tool.status()
    try:
        wait_until(lambda: not alive(helper), "the helper lives on", 5)
    finally:
        if alive(helper):
            os.kill(helper, signal.SIGKILL)


def compiling(pid):
    """It is at its work, no longer at its start."""
    try:
        with open("/proc/%d/maps" % pid) as f:
            return "libbcc" in f.read()
    except OSError:
        return False


def alive(pid):
    """Not gone, and not a zombie that its reaper is late for."""
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@test
def leaves_no_files(scene):
    """Nothing new in /tmp, /run or bpffs after a kill at any moment of the start."""
    watched = ("/tmp", "/run", "/var/tmp", "/dev/shm")

    def ours():
        return sorted(os.path.join(place, name) for place in watched for name in os.listdir(place)
                      if "tcpconnect" in name and not name.startswith("tcpconnect-live"))

    before = ours()
    for delay in (0.01, 0.05, 0.1, 0.2, 0.4):
        tool = scene.launch("--no-cache")
        time.sleep(delay)
        tool.send(signal.SIGKILL)
        tool.status()
    equal(ours(), before, "files")


@test
def cut_short_while_compiling(scene):
    """Without a /tmp of its own: what the helper made in the shared one goes, however it ends."""
    shared = scene.directory()
    before = ("setpriv", "--bounding-set=-sys_admin", "env", "TMPDIR=" + shared)

    def start():
        tool = scene.launch("-P", "7076", "--no-cache", before=before)
        helper = wait_until(lambda: [pid for pid in children(tool.pid) if os.listdir(shared)],
                            "nothing is made in TMPDIR", 20)[0]
        return tool, helper

    for number in (signal.SIGINT, signal.SIGTERM):
        tool, _ = start()
        tool.send(number)
        equal((tool.status(), os.listdir(shared)), (0, []), "exit status, files")
    tool, helper = start()
    os.kill(helper, signal.SIGKILL)
    equal((tool.status(), os.listdir(shared)), (1, []), "exit status, files")


@test
def by_ctrl_c_in_a_shell(scene):
    """In a pipe of a shell, Ctrl-C goes to all; what was traced still comes through."""
    client = scene.client()
    out = os.path.join(scene.directory(), "out")
    argv = " ".join(argv_of(["-p", client.pid]))
    shell = subprocess.Popen(["sh", "-c", "%s | { trap '' INT; cat >%s; }" % (argv, out)],
                             start_new_session=True)
    scene.callback(shell.wait)
    scene.callback(shell.kill)
    wait_until(lambda: os.path.exists(out) and open(out).read().count("\n") == 2,
               "the tool does not start tracing", STARTS)
    client.run("127.0.0.1", 80)
    os.killpg(shell.pid, signal.SIGINT)
    shell.wait(10)
    with open(out) as f:
        equal(f.read().count("\n"), 3, "lines")
