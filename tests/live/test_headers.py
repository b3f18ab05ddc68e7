# SPDX-License-Identifier: Apache-2.0
"""Types from kernel headers. This machine may have none; they are made from its kernel's BTF, so
that clang must find in them what the kernel itself tells."""

import os
import platform
import re
import shutil
import subprocess
import tarfile

from harness import Skip, check, equal, one_line, test
from test_failures import NOBODY, mounts
from tool import once

HEADERS = ("linux/ptrace.h", "linux/sched.h", "linux/nsproxy.h", "linux/ns_common.h", "linux/fs.h",
           "linux/fdtable.h", "linux/netdevice.h", "linux/skbuff.h", "linux/uio.h", "linux/tcp.h",
           "net/sock.h", "net/inet_sock.h", "net/net_namespace.h")
PRIVATE = "MNT_NS_INUM"  # no header has it
RELEASE = platform.release()


def kernel_tree(scene, change=lambda text: text, config=""):
    """A tree that says it is this kernel's, all of its types in one file."""
    dumped = subprocess.run(["bpftool", "btf", "dump", "file", "/sys/kernel/btf/vmlinux", "format",
                             "c"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if dumped.returncode:
        raise Skip("no BTF to make headers from: " + one_line(dumped.stderr))
    tree = scene.directory()

    def write(name, text):
        path = os.path.join(tree, "include", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)

    write("generated/autoconf.h", config)
    write("generated/utsrelease.h", '#define UTS_RELEASE "%s"\n' % RELEASE)
    write("linux/kconfig.h", "#include <generated/autoconf.h>\n")
    write("linux/all.h", "#define BPF_NO_PRESERVE_ACCESS_INDEX\n" + change(dumped.stdout) +
          "\n#define offsetof(type, member) __builtin_offsetof(type, member)\n")
    for name in HEADERS:
        write(name, "#include <linux/all.h>\n")
    return tree


def of_tree(tree):
    return ("env", "BCC_KERNEL_SOURCE=" + tree)


def offsets(types, *options, before=()):
    status, out, err = once("--ebpf", "--types", types, *options, before=before)
    equal(status, 0, "status (%s)" % one_line(err))
    return dict(re.findall(r"^#define OFFSET_(\w+) (\d+) ", out, re.MULTILINE))


def trace(scene, tree, *options):
    """It traces, by the headers. What it said."""
    client = scene.client()
    tool = scene.tool("-p", client.pid, "-v", "--types", "headers", *options,
                      before=of_tree(tree))
    client.run("127.0.0.1", 80)
    tool.stop()
    equal([(row.pid, row.daddr, row.dport) for row in tool.rows()], [(client.pid, "127.0.0.1", 80)],
          "events")
    return tool.err()


def asked(said):
    return "asking clang" in said


@test
def same_offsets_as_from_btf(scene):
    found, wanted = offsets("headers", before=of_tree(kernel_tree(scene))), offsets("btf")
    check(wanted.pop(PRIVATE, None), "no %s in BTF" % PRIVATE)
    check(len(wanted) > 40, "few offsets: %r" % wanted)
    equal(found, wanted, "offsets")


@test
def read_once_for_all_programs(scene):
    tree, cache = kernel_tree(scene), scene.directory()
    os.chmod(cache, 0o700)
    kept = ("--cache-dir", cache)
    check(asked(trace(scene, tree, *kept)), "the first start did not ask")
    check(not asked(trace(scene, tree, "-L", *kept)), "other options asked again")
    said = trace(scene, tree, "-L", *kept)
    check("compiled before" in said and not asked(said), "a warm start: " + one_line(said))
    check(asked(trace(scene, tree, "-L", "--no-cache")), "--no-cache did not ask")
    os.utime(os.path.join(tree, "include/generated/autoconf.h"), (1, 1))
    check(asked(trace(scene, tree, "-U", *kept)), "headers that changed were not read")


@test
def damaged_offsets(scene):
    """The entry of the offsets is refused like any other, and made anew."""
    tree, cache = kernel_tree(scene), scene.directory()
    os.chmod(cache, 0o700)
    kept = ("--cache-dir", cache)
    trace(scene, tree, *kept)
    entries = [os.path.join(cache, name) for name in os.listdir(cache)]
    equal(len(entries), 2, "entries")
    small = min(entries, key=os.path.getsize)
    with open(small, "r+b") as file:
        file.seek(-3, os.SEEK_END)
        byte = file.read(1)
        file.seek(-3, os.SEEK_END)
        file.write(bytes([byte[0] ^ 1]))
    said = trace(scene, tree, "-L", *kept)
    check(asked(said) and "damaged" in said, "damaged offsets were taken: " + one_line(said))
    check(not asked(trace(scene, tree, "-U", *kept)), "they were not made anew")


def as_archive(scene, tree):
    """Before a command: a kernel that has no BTF, but brings its headers in an archive."""
    archive = os.path.join(scene.directory(), "kheaders.tar.xz")
    with tarfile.open(archive, "w:xz") as file:
        file.add(os.path.join(tree, "include"), "include")
    return mounts("mount -t tmpfs -o mode=755 live /sys/kernel", "mkdir /sys/kernel/tracing",
                  "mount -t tracefs live /sys/kernel/tracing", "cp %s /sys/kernel" % archive)


@test
def from_the_kernels_own_archive(scene):
    before = as_archive(scene, kernel_tree(scene))
    client = scene.client()
    tool = scene.tool("-p", client.pid, "--no-cache", before=before)
    client.run("127.0.0.1", 80)
    equal([(row.daddr, row.dport) for row in tool.finish()], [("127.0.0.1", 80)], "events")


@test
def archive_read_once(scene):
    """sysfs gives the archive another time at each boot, and in each container."""
    cache = scene.directory()
    os.chmod(cache, 0o700)
    before = as_archive(scene, kernel_tree(scene))
    options = ("-D", "1", "-v", "--cache-dir", cache)
    for wanted in (True, False):
        status, _, err = once(*options, before=before)
        equal((status, asked(err)), (0, wanted), "status, asked (%s)" % one_line(err))


@test
def archive_not_to_be_unpacked(scene):
    before = as_archive(scene, kernel_tree(scene))
    xz = os.path.realpath(shutil.which("xz"))
    status, out, err = once("-D", "1", "--no-cache",
                            before=(*before, *mounts("mount --bind /dev/null " + xz)))
    equal((status, out, err.count("\n")), (1, "", 1), "status, output, lines of errors")
    check("tar and xz" in err, one_line(err))


@test
def somebody_elses_archive(scene):
    """Without a /tmp of its own: what lies unpacked there already is not taken, nothing is left."""
    before = as_archive(scene, kernel_tree(scene))
    place = "/tmp/kheaders-" + RELEASE
    os.mkdir(place)
    scene.callback(os.rmdir, place)
    there = set(os.listdir("/tmp"))
    found = offsets("auto", before=(*before, *NOBODY))
    wanted = offsets("btf")
    wanted.pop(PRIVATE)
    equal(found, wanted, "offsets")
    left = [name for name in set(os.listdir("/tmp")) - there if name.startswith("tcpconnect-")]
    equal(left, [], "left in /tmp")


@test
def with_results_and_names(scene):
    trace(scene, kernel_tree(scene), "-r", "-d", "--no-cache")


def not_understood(tree, reason, said="--types btf"):
    """One line that says what would help; with -v also what is the matter."""
    for more in ((), ("-v",)):
        status, out, err = once("--types", "headers", "--no-cache", "-D", 1, *more,
                                before=of_tree(tree))
        equal((status, out), (1, ""), "status and output")
        lines = err.splitlines()
        check(said in lines[-1], lines[-1])
        if more:
            check(any("no answer" in line and reason in line for line in lines),
                  "%r is not told: %r" % (reason, lines[-3:]))
            equal(err.count("asking clang"), 1, "questions")
        else:
            equal(len(lines), 1, "lines")


@test
def from_here(scene):
    """A path that begins where the tool was started, as bcc's tools take it."""
    tree = kernel_tree(scene)
    before = ("env", "--chdir=" + tree, "BCC_KERNEL_SOURCE=.")
    found, wanted = offsets("headers", before=before), offsets("btf")
    wanted.pop(PRIVATE)
    equal(found, wanted, "offsets")


@test
def a_field_that_is_gone(scene):
    not_understood(kernel_tree(scene, lambda text: re.sub(
        r"\bskc_daddr;", "skc_elsewhere;", text)), "skc_daddr")


@test
def a_type_that_is_unknown(scene):
    """What is behind a member of unknown size has no offset."""
    not_understood(kernel_tree(scene, lambda text: re.sub(
        r"\bstruct sock \{", "struct sock { struct no_such_thing first;", text, count=1)),
        "no_such_thing")


@test
def shuffled_structures(scene):
    """Their order is no header's to tell."""
    for config in ("CONFIG_RANDSTRUCT", "CONFIG_GCC_PLUGIN_RANDSTRUCT"):
        not_understood(kernel_tree(scene, config="#define %s 1\n" % config), "CONFIG_RANDSTRUCT",
                       "CONFIG_RANDSTRUCT shuffles")


@test
def not_understood_without_btf(scene):
    """Then no advice to take BTF."""
    tree = kernel_tree(scene, lambda text: re.sub(r"\bskc_daddr;", "skc_elsewhere;", text))
    before = (*of_tree(tree), *mounts("mount --bind %s /sys/kernel/btf" % scene.directory()))
    status, out, err = once("--no-cache", "-D", 1, before=before)
    equal((status, out, err.count("\n")), (1, "", 1), "status, output, lines")
    check("headers" in err and "--types btf" not in err, err)
