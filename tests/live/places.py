# SPDX-License-Identifier: Apache-2.0
"""Where tests take place: network namespaces, control groups, pinned maps."""

import contextlib
import ctypes
import itertools
import json
import os
import sys
import time

from harness import Skip, command

CLONE_NEWNS = 0x00020000
CLONE_NEWNET = 0x40000000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
libc = ctypes.CDLL(None, use_errno=True)
numbers = itertools.count(1)


def call(name, *arguments):
    """A libc function that sets errno."""
    result = getattr(libc, name)(*arguments)
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, "%s: %s" % (name, os.strerror(error)))
    return result


def private_mounts():
    """From here on, what this process mounts vanishes with it, however it ends."""
    call("unshare", CLONE_NEWNS)
    call("mount", b"none", b"/", None, MS_REC | MS_PRIVATE, None)
    os.makedirs("/run/netns", exist_ok=True)
    call("mount", b"live", b"/run/netns", b"tmpfs", 0, b"size=1m")


class Namespace:
    """A network namespace, its loopback device up."""

    def __init__(self):
        self.name = "live%d" % next(numbers)
        self.path = "/run/netns/" + self.name

    def __enter__(self):
        command("ip", "netns", "add", self.name)
        self.ip("link", "set", "lo", "up")
        return self

    def __exit__(self, *_):
        command("ip", "netns", "del", self.name)

    def ip(self, *arguments):
        return command("ip", "-n", self.name, *arguments)

    def tc(self, *arguments):
        return command("tc", "-n", self.name, *arguments)

    def run(self, *argv):
        return command("nsenter", "--net=" + self.path, *argv)

    def set(self, key, value):
        """A sysctl of the namespace: /proc/sys/net shows that of the one that opens it."""
        with self.entered(), open("/proc/sys/net/" + key, "w") as f:
            f.write(str(value))

    def nft(self, *rules):
        """Rules on the way out."""
        self.run("nft", "add table inet live; add chain inet live out "
                 "{ type filter hook output priority 0; }; "
                 + "; ".join("add rule inet live out " + rule for rule in rules))

    def unanswered(self, *addresses):
        """
        A device behind which these addresses would be, but nobody is.  The kernel asks for them
        so seldom that they do not become unreachable while a test waits: a test that wants that
        sets retrans_time_ms itself.
        """
        self.ip("link", "add", "near", "type", "veth", "peer", "name", "far")
        for address in addresses:
            self.ip("addr", "add", address, "dev", "near",
                    *(["nodad"] if ":" in address else []))
        for family in "ipv4", "ipv6":
            self.set(family + "/neigh/near/retrans_time_ms", 60000)
        self.ip("link", "set", "near", "up")
        self.ip("link", "set", "far", "up")

    def join(self):
        fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            call("setns", fd, CLONE_NEWNET)
        finally:
            os.close(fd)

    @contextlib.contextmanager
    def entered(self):
        """Sockets made inside stay there."""
        back = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            self.join()
            yield
        finally:
            call("setns", back, CLONE_NEWNET)
            os.close(back)


def cgroup_root():
    with open("/proc/self/mounts") as mounts:
        for line in mounts:
            _, path, kind = line.split()[:3]
            if kind == "cgroup2":
                return path
    raise Skip("no cgroup2 file system is mounted")


class ControlGroup:
    def __init__(self):
        self.path = os.path.join(cgroup_root(), "tcpconnect-live-%d-%d"
                                 % (os.getpid(), next(numbers)))

    def __enter__(self):
        os.mkdir(self.path)
        self.id = os.stat(self.path).st_ino
        return self

    def __exit__(self, *_):
        for _ in range(100):  # a process that just ended may still be counted
            try:
                return os.rmdir(self.path)
            except OSError:
                time.sleep(0.02)
        os.rmdir(self.path)

    def join(self):
        with open(os.path.join(self.path, "cgroup.procs"), "w") as f:
            f.write("0")


@contextlib.contextmanager
def bpf_directory(path):
    call("mount", b"live", path.encode(), b"bpf", 0, None)
    try:
        yield path
    finally:
        call("umount2", path.encode(), 2)


def octets(number, size):
    return ["%d" % byte for byte in number.to_bytes(size, sys.byteorder)]


def bpftool(*arguments):
    """What bpftool says about the kernel's objects, as data."""
    return json.loads(command("bpftool", "-j", *arguments) or "null")


class PinnedMap:
    """A pinned map, as --cgroupmap and --mntnsmap take it unless told otherwise."""

    def __init__(self, directory, name, value_size, kind="hash", key_size=8):
        self.path = os.path.join(directory, name)
        self.key_size, self.value_size = key_size, value_size
        command("bpftool", "map", "create", self.path, "type", kind, "key", key_size, "value",
                value_size, "entries", 64, "name", name)

    def add(self, key):
        command("bpftool", "map", "update", "pinned", self.path, "key",
                *octets(key, self.key_size), "value", *octets(1, self.value_size))

    def delete(self, key):
        command("bpftool", "map", "delete", "pinned", self.path, "key",
                *octets(key, self.key_size))


def perf_event_paranoid():
    with open("/proc/sys/kernel/perf_event_paranoid") as file:
        return int(file.read())
