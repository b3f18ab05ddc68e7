# SPDX-License-Identifier: Apache-2.0
"""What needs no root, what is said without it, and what is said of bad input."""

import os
import re
import subprocess

import harness
from harness import check, equal, test
from tool import once

NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all")


@test
def help_without_root(scene):
    for option in ("-h", "--help"):
        status, out, err = once(option, before=NOBODY)
        equal((status, err), (0, ""), "status and error of " + option)
        check(out.startswith("Usage: tcpconnect") and "\nExamples:\n" in out, "help: %r" % out[:99])


@test
def version_without_root(scene):
    for option in ("-V", "--version"):
        status, out, err = once(option, before=NOBODY)
        equal((status, err), (0, ""), "status and error of " + option)
        check(re.fullmatch(r"tcpconnect \d+\.\d+\.\d+, libbcc \d+\.\d+\.\d+\n", out),
              "version: %r" % out)


@test
def program_without_root(scene):
    """--ebpf: the text, with the user's filters at its top."""
    status, out, err = once("--ebpf", "-p", "123,456", "-P", "443", "-u", "1000", "-6",
                            before=NOBODY)
    equal((status, err), (0, ""), "status and error")
    top = out.split("\n\n")[0]
    for name, values in (("PID", (123, 456)), ("PORT", (443,)), ("UID", (1000,))):
        define = re.search(r"^#define FILTER_%s\(.*$" % name, top, re.M)
        check(define, "no #define FILTER_%s among the first lines" % name)
        for value in values:
            check(re.search(r"\b%d(U?L*)\b" % value, define.group()), "%d: %s" % (value, define.group()))
    check(re.search(r"^#define FILTER_FAMILY 6$", top, re.M), "no #define FILTER_FAMILY 6")
    check("int " in out and "bpf_ktime_get_ns" in out, "that is no program")


@test
def program_for_each_way(scene):
    """What is used here is shown, also to who may not trace."""
    texts = {way: once("--ebpf", "--probe", way, before=NOBODY)[1]
             for way in ("kprobe", "fentry", "tracepoint")}
    for way, text in texts.items():
        equal(once("--ebpf", "--probe", way)[1] == text, True, "root's text for %s is the same" % way)
    check("connect4_entry" in texts["kprobe"], "no kprobe's program")
    check("state_change" in texts["tracepoint"], "no tracepoint's program")
    plain = once("--ebpf", *harness.EXTRA)[1]
    equal(plain, texts[scene.way], "the text that is used here")
    root, other = once("--ebpf")[1], once("--ebpf", before=NOBODY)[1]
    if root == texts["tracepoint"]:  # that a kernel refuses fentry, only who may try can tell
        check(other in texts.values(), "the text that others than root are shown is none of them")
    else:
        equal(other.split("\n"), root.split("\n"), "lines of the text that others are shown")
    check("FILTER_PID(" not in plain.split("\n\n")[0], "a filter that nobody asked for")


@test
def without_root(scene):
    status, out, err = once(before=NOBODY)
    equal((status, out, err.count("\n")), (1, "", 1), "status, output, lines of error")
    check("CAP_BPF" in err and "CAP_PERFMON" in err, "error: %r" % err)


@test
def without_one_capability(scene):
    """The one that is missing is named, the one that is there is not said to be missing."""
    for missing, there in (("bpf", "perfmon"), ("perfmon", "bpf")):
        status, _, err = once(before=("setpriv", "--bounding-set=-sys_admin,-" + missing))
        equal((status, err.count("\n")), (1, 1), "status, lines of error")
        said = err.split(":")[1]
        check("CAP_" + missing.upper() in said and "CAP_" + there.upper() not in said,
              "error without %s: %r" % (missing, err))


BAD = [["-p", "0"], ["-p", "x"], ["-p", "-1"], ["-p", "1.5"], ["-p", ""], ["-p", "1,"],
       ["-p", ",1"], ["-p", "1,,2"], ["-p", "1 2"], ["-p", "99999999999999999999"], ["-p", "0x10"],
       ["-P", "0"], ["-P", "65536"], ["-P", "http"], ["-P", "80x"], ["-P", ""], ["-P", "80;443"],
       ["-u", "-1"], ["-u", "4294967296"], ["-u", "root"], ["-u", ""],
       ["-4", "-6"], ["-46"], ["-c", "-d"], ["-p"], ["--cgroupmap"], ["--cgroupmap", ""],
       ["--mntnsmap="], ["-x"], ["--no-such-option"], ["--co", "--c"], ["stray"], ["--", "-t"],
       ["-t", "stray"], ["--probe", "magic"], ["--types", "magic"], ["--count=1"],
       ["-p", "1\x1b[31m\n2"]]


@test
def bad_input(scene):
    for arguments in BAD:
        status, out, err = once(*arguments)
        equal((status, out), (2, ""), "status and output for %r" % arguments)
        check(re.fullmatch(r"tcpconnect: [ -~]+\n", err), "%r: error %r" % (arguments, err))


@test
def names_and_counts_exclude_each_other(scene):
    """bcc's own words."""
    for arguments in (["-c", "-d"], ["-dc"], ["--dns", "--count"]):
        status, out, err = once(*arguments)
        equal((status, out), (2, ""), "status and output")
        check("--dns" in err and "--count" in err or "-d" in err and "-c" in err,
              "error: %r" % err)


@test
def right_input_starts(scene):
    """Bundles, joined values and abbreviations are understood to the end."""
    client = scene.client(uid=1000)
    tool = scene.tool("-tLUu1000", "--pi=%d" % client.pid, "--por", "80", "--ipv4")
    client.run("127.0.0.1", 80)
    equal([(row.uid, row.pid, row.dport) for row in tool.finish()], [(1000, client.pid, 80)],
          "events")


@test
def no_standard_descriptors(scene):
    """Started with none open, it must not print into what it opened itself."""
    for others, failed in (("<&- >&- 2>&-", 1), ("<&- 2>&- >/dev/null", 0)):
        for option, wanted in (("-h", failed), ("-p0", 2), ("--ebpf", failed)):
            done = subprocess.run(["sh", "-c", 'exec "$0" "$1" ' + others, harness.TOOL, option])
            equal(done.returncode, wanted, "status of %s with %s" % (option, others))
    check(os.access("/dev/null", os.W_OK), "lost /dev/null")
