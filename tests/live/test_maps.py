# SPDX-License-Identifier: Apache-2.0
"""--cgroupmap and --mntnsmap: the pinned map says who is traced, from one event to the next."""

import os

from harness import check, equal, test
from places import PinnedMap, command
from tool import once


def mount_namespace(client):
    return os.stat("/proc/%d/ns/mnt" % client.pid).st_ino


def by_pinned_map(scene, option, pinned, inside, outside, key):
    """The same for both options: in, out, in while tracing, out again."""
    tool = scene.tool(option, pinned.path, "-P", "7072")
    clients = (inside, outside)
    for client in clients:  # the map is empty
        client.run("127.0.0.1", 7072)
    pinned.add(key)
    for address in ("127.0.0.1", "::1", "192.0.2.1"):
        for client in clients:
            client.run(address, 7072)
    pinned.delete(key)
    for client in clients:
        client.run("127.0.0.1", 7072)
    pinned.add(key)
    for client in clients:
        client.run("127.0.0.1", 7072)
    rows = tool.finish()
    equal([(row.pid, row.daddr) for row in rows],
          [(inside.pid, address) for address in ("127.0.0.1", "::1", "192.0.2.1", "127.0.0.1")],
          "events")


@test
def cgroup(scene):
    group = scene.cgroup()
    pinned = PinnedMap(scene.bpf_directory(), "cgroups", 8)
    by_pinned_map(scene, "--cgroupmap", pinned, scene.client(cgroup=group), scene.client(),
                  group.id)


@test
def mount_namespaces(scene):
    inside = scene.client(own_mounts=True)
    pinned = PinnedMap(scene.bpf_directory(), "mounts", 4)
    by_pinned_map(scene, "--mntnsmap", pinned, inside, scene.client(own_mounts=True),
                  mount_namespace(inside))


@test
def key_from_the_start(scene):
    group, other = scene.cgroup(), scene.cgroup()
    pinned = PinnedMap(scene.bpf_directory(), "cgroups", 8)
    pinned.add(group.id)
    inside, outside = scene.client(cgroup=group), scene.client(cgroup=other)
    tool = scene.tool("--cgroupmap", pinned.path, "-L")
    for client in (inside, outside):
        client.run("127.0.0.1", 80)
    equal([row.pid for row in tool.finish()], [inside.pid], "PID")


@test
def both(scene):
    """A process must be in both."""
    group, directory = scene.cgroup(), scene.bpf_directory()
    cgroups, mounts = PinnedMap(directory, "cgroups", 8), PinnedMap(directory, "mounts", 4)
    inside = scene.client(cgroup=group, own_mounts=True)
    others = [scene.client(cgroup=group), scene.client(own_mounts=True), scene.client()]
    cgroups.add(group.id)
    for client in (inside, others[1]):
        mounts.add(mount_namespace(client))
    tool = scene.tool("--cgroupmap", cgroups.path, "--mntnsmap", mounts.path)
    for client in (*others, inside):
        client.run("127.0.0.1", 80)
    equal([row.pid for row in tool.finish()], [inside.pid], "PID")


@test
def beside_directory(scene):
    """--cgroup and --cgroupmap: a process must be below the one, and in the other."""
    group, inner = scene.cgroup(), scene.cgroup()
    pinned = PinnedMap(scene.bpf_directory(), "cgroups", 8)
    pinned.add(group.id)
    clients = [scene.client(cgroup=group), scene.client(cgroup=inner), scene.client()]
    for directory, wanted in ((group, clients[:1]), (inner, [])):
        tool = scene.tool("--cgroupmap", pinned.path, "--cgroup", directory.path)
        for client in clients:
            client.run("127.0.0.1", 80)
        equal([row.pid for row in tool.finish()], [client.pid for client in wanted], "PID")


@test
def counted(scene):
    group = scene.cgroup()
    pinned = PinnedMap(scene.bpf_directory(), "cgroups", 8)
    pinned.add(group.id)
    inside, outside = scene.client(cgroup=group), scene.client()
    tool = scene.tool("-c", "--cgroupmap", pinned.path)
    for client in (inside, outside, inside):
        client.run("127.0.0.1", 80)
    tool.stop()
    equal(tool.counts(), [("127.0.0.1", "127.0.0.1", 80, 2)], "counts")


def refused(path, option, *words):
    status, out, err = once(option, path)
    equal((status, out, err.count("\n")), (1, "", 1), "status, output and lines of error (%r)" % err)
    for word in (option, path, *words):
        check(word in err, "%r is not in %r" % (word, err))


@test
def absent(scene):
    directory = scene.bpf_directory()
    for option in ("--cgroupmap", "--mntnsmap"):
        refused(os.path.join(directory, "nowhere"), option, "No such file")
        refused("/nowhere/at/all", option, "No such file")


@test
def not_a_map(scene):
    directory = scene.bpf_directory()
    running = scene.tool("-P", "7073")
    program = min(running.kernel_objects()["prog"])
    pinned = os.path.join(directory, "program")
    command("bpftool", "prog", "pin", "id", program, pinned)
    for option in ("--cgroupmap", "--mntnsmap"):
        for path in ("/dev/null", "/etc/passwd", "/proc", directory):
            refused(path, option, "not a BPF map")
        refused(pinned, option, "not a BPF map")
    running.finish()


@test
def wrong_map(scene):
    directory = scene.bpf_directory()
    for option, good in (("--cgroupmap", 8), ("--mntnsmap", 4)):
        name = option[2:8]
        refused(PinnedMap(directory, name + "1", 12 - good).path, option, "%d bytes" % good)
        refused(PinnedMap(directory, name + "2", good, key_size=4).path, option, "keys of 8")
        refused(PinnedMap(directory, name + "3", good, "array", 4).path, option, "hash")
        refused(PinnedMap(directory, name + "4", good, "percpu_hash").path, option, "hash")


@test
def least_used_map(scene):
    """A map of type lru_hash has the same keys and will do."""
    group = scene.cgroup()
    pinned = PinnedMap(scene.bpf_directory(), "cgroups", 8, "lru_hash")
    pinned.add(group.id)
    inside = scene.client(cgroup=group)
    tool = scene.tool("--cgroupmap", pinned.path)
    inside.run("127.0.0.1", 80)
    equal([row.pid for row in tool.finish()], [inside.pid], "PID")
