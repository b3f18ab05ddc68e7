# SPDX-License-Identifier: Apache-2.0
"""How long until it traces: cold with BTF and with kernel headers, and warm."""

import glob
import os
import platform
import subprocess

import harness
import places
from bench import Row, Skip, check, command, core_tool, measure, median, ms, spent, times

BCC = "/usr/sbin/tcpconnect-bpfcc"
PYTHON = "/usr/bin/python3"  # the one that Debian's bcc module is for
# Prints how many milliseconds bcc takes from text to loaded-to-be program.
COMPILE = """
import sys, time
from bcc import BPF
text = open(sys.argv[1]).read()
began = time.monotonic()
BPF(text=text)
print((time.monotonic() - began) * 1000)
"""


def kernel_headers(scene):
    """
    bookworm's headers as one tree, as tests/vm/prepare fetched them: the configured ones above
    the common ones, by an overlay. They are of another release than runs here, which the tool
    refuses with good reason; for the measure, the tree says that it is of this one.
    """
    root = os.environ.get("TCPCONNECT_VM_CACHE", os.path.join(
        os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "tcpconnect-vm"))
    found = glob.glob(os.path.join(root, "kernels/bookworm/usr/src/linux-headers-*-amd64"))
    if not found:
        raise Skip("no kernel headers in %s: tests/vm/prepare bookworm" % root)
    common = found[0].replace("-amd64", "-common")
    base = scene.directory()
    places.call("mount", b"bench", base.encode(), b"tmpfs", 0, None)
    scene.callback(lambda: places.call("umount2", base.encode(), 2))
    release, tree = os.path.join(base, "release"), os.path.join(base, "tree")
    os.makedirs(os.path.join(release, "include/generated"))
    os.mkdir(tree)
    with open(os.path.join(release, "include/generated/utsrelease.h"), "w") as f:
        f.write('#define UTS_RELEASE "%s"\n' % platform.release())
    layers = "lowerdir=%s:%s:%s" % (release, found[0], common)
    try:
        places.call("mount", b"overlay", tree.encode(), b"overlay", 1, layers.encode())
    except OSError as error:
        raise Skip("no overlay file system: %s" % error)
    scene.callback(lambda: places.call("umount2", tree.encode(), 2))
    return tree


def bcc_compiler(scene, tree):
    """A command that has bcc's module compile its tool's own program, and its environment."""
    environ = {**os.environ, "BCC_KERNEL_SOURCE": tree}
    if not os.access(BCC, os.X_OK):
        raise Skip("bcc's tool is not installed (bpfcc-tools)")
    path = os.path.join(scene.directory(), "text.c")
    with open(path, "w") as f:
        f.write(command(PYTHON, BCC, "--ebpf", env=environ))
    return [PYTHON, "-c", COMPILE, path], environ


def bcc_compile(scene, tree, runs):
    """(milliseconds, processor time in ms) that bcc's module takes for its own program."""
    argv, environ = bcc_compiler(scene, tree)
    found = [float(command(*argv, env=environ)) for _ in range(runs)]
    return median(found), median([spent(argv, environ)[0] for _ in range(runs // 2)] or [0])


def to_the_line(bench, options, runs, environ=None):
    argv = [bench.program("until-line"), harness.TOOL, *options]
    return bench.hyperfine([argv], runs, environ)[0]


def cpu_of(options, runs, environ=None):
    """Processor time of a whole run of the tool with its helper, in ms."""
    def one():
        tool = subprocess.Popen([harness.TOOL, *options], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                env={**os.environ, **(environ or {})})
        check(tool.stdout.readline(), "the tool does not start: " + " ".join(options))
        tool.terminate()
        _, _, used = os.wait4(tool.pid, 0)
        tool.returncode = 0  # reaped here
        tool.stdout.close()
        return (used.ru_utime + used.ru_stime) * 1000

    return median([one() for _ in range(runs)])


def ratio_of(ours, peer):
    return times(ours / peer) if peer else ""


@measure
def cold_start(bench):
    runs = bench.often(15, 1)
    with bench.scene() as scene:
        cold = to_the_line(bench, ["--no-cache", "--types", "btf"], runs)
        cold_spent = cpu_of(["--no-cache", "--types", "btf"], bench.often(5, 1))
        tree = kernel_headers(scene)
        headers = {"BCC_KERNEL_SOURCE": tree}
        bcc, bcc_spent = bcc_compile(scene, tree, bench.often(7, 1))
        slow = to_the_line(bench, ["--no-cache", "--types", "headers"], bench.often(7, 1), headers)
        slow_spent = cpu_of(["--no-cache", "--types", "headers"], bench.often(3, 1), headers)
        whole = bench.hyperfine([[PYTHON, BCC]], bench.often(7, 1), headers,
                                fails=(0,))[0]
    peer = "bcc's module compiles: "
    return [
        Row("cold start to \"Tracing connect ...\", BTF types", ms(cold),
            "300 ms, 0.25x", cold <= 300 and cold <= 0.25 * bcc, peer + ms(bcc),
            times(cold / bcc)),
        Row("... its processor time", ms(cold_spent), "", None, ms(bcc_spent),
            ratio_of(cold_spent, bcc_spent)),
        Row("cold start, kernel headers", ms(slow), "1x", slow <= whole,
            "bcc's tool until it fails to attach: " + ms(whole), times(slow / whole)),
        Row("... beside the compilation alone", "", "", None, peer + ms(bcc), times(slow / bcc)),
        Row("... its processor time", ms(slow_spent), "", None, ms(bcc_spent),
            ratio_of(slow_spent, bcc_spent)),
    ]


@measure
def warm_start(bench):
    core = core_tool()
    cpu_of([], 1)  # from here on it is in the cache
    ours = [bench.program("until-line"), harness.TOOL]
    runs = bench.often(60, 3)
    if not core:
        warm = bench.hyperfine([ours], runs)[0]
        return [Row("warm start", ms(warm), "12 ms", warm <= 12, "libbpf-tools not installed")]
    warm, peer = bench.hyperfine([ours, [core]], runs, fails=(1,))
    return [Row("warm start", ms(warm), "12 ms, 1x", warm <= 12 and warm <= peer,
                "CO-RE tool until it fails to attach: " + ms(peer), times(warm / peer)),
            Row("... its processor time", ms(cpu_of([], bench.often(15, 1))), "", None,
                ms(median([spent([core])[0] for _ in range(bench.often(15, 1))])))]
