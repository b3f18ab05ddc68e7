# SPDX-License-Identifier: Apache-2.0
"""Killed, starved, and left without what it was told to look at."""

import glob
import os
import random
import signal
import time

import places
import tool as tools
from faults import LONG, check, equal, fault
from harness import EXTRA, Skip, wait_until
from test_endings import kprobes
from tool import once

KILLS = int(os.environ.get("FAULT_KILLS", "200" if LONG else "40"))
UID = 54321  # the kernel says who loaded a program: by it, ours are told from those of others
UNFINISHED = "unfinished-"  # compiler/cache_entry.h
CAPABILITIES = "+bpf,+perfmon,+dac_override,+sys_admin,+setuid,+setgid,+setpcap,+sys_chroot"
AS_OURSELVES = ("setpriv", "--reuid=%d" % UID, "--regid=%d" % UID, "--clear-groups",
                "--inh-caps=" + CAPABILITIES, "--ambient-caps=" + CAPABILITIES)


def loaded():
    """Ids of the programs that are ours, and of the links to them."""
    programs = {p["id"] for p in places.bpftool("prog", "show") if p.get("uid") == UID}
    links = {link["id"] for link in places.bpftool("link", "show") or []
             if link.get("prog_id") in programs}
    return programs, links


def map_ids():
    return {m["id"] for m in places.bpftool("map", "show") or []}


def maps_of_others():
    return {m for p in places.bpftool("prog", "show") if p.get("uid") != UID
            for m in p.get("map_ids", [])}


def processes(path):
    """Those that run this program, zombies left out."""
    found = []
    for link in glob.glob("/proc/[0-9]*/exe"):
        try:
            if os.readlink(link) == path:
                found.append(int(link.split("/")[2]))
        except OSError:
            pass
    return found


def files():
    """Where something could stay, of a name that could be ours."""
    return {os.path.join(place, name) for place in ("/tmp", "/run", "/var/tmp", "/dev/shm",
                                                    "/sys/fs/bpf")
            if os.path.isdir(place) for name in os.listdir(place)
            if "tcpconnect" in name and not name.startswith(("tcpconnect-live",
                                                             "tcpconnect-bench"))}


def start_seconds(scene, *options):
    """How long it takes to trace."""
    began = time.monotonic()
    tool = scene.launch(*options, before=AS_OURSELVES).wait()
    took = time.monotonic() - began
    tool.stop()
    return took


@fault("killed (SIGKILL) at %d random moments from its start on" % KILLS,
       "no process, program, link, map, probe, file or unfinished cache entry stays; "
       "it starts again")
def killed(scene):
    cache = scene.directory()
    os.chown(cache, UID, UID)
    os.chmod(cache, 0o700)
    chance, before, probed = random.Random(), files(), kprobes()
    maps = map_ids()
    cold = start_seconds(scene, "--no-cache")
    start_seconds(scene, "--cache-dir", cache)
    check(os.listdir(cache), "nothing is put into the cache: it is not tested")
    warm = start_seconds(scene, "--cache-dir", cache)
    traced = 0
    for n in range(KILLS):
        seconds, *options = [(cold, "--no-cache"), (cold, "--cache-dir", cache, "-L", "-u", n),
                             (warm, "--cache-dir", cache),
                             (cold, "--cache-dir", cache, "-d", "-u", n),
                             (warm, "--cache-dir", cache)][n % 5]
        tool = scene.launch(*options, before=AS_OURSELVES)
        if n % 5 == 4:  # however slow the machine is, some are killed while they trace
            tool.wait()
        time.sleep(chance.random() * seconds * 1.3)
        traced += tools.BANNER in tool.out()
        if tool.process.poll() is not None:
            check(False, "ended by itself: " + tool.err())
        tool.send(signal.SIGKILL)
        tool.status()
    wait_until(lambda: loaded() == (set(), set()), "programs, links left: %s, %s" % loaded(), 20)
    wait_until(lambda: not processes(tools.TOOL), "processes left", 20)
    wait_until(lambda: kprobes() == probed, "kprobes left", 20)
    entries = os.listdir(cache)
    unfinished = [name for name in entries if name.startswith(UNFINISHED)]
    tool = scene.launch("--cache-dir", cache, before=AS_OURSELVES).wait()
    check(loaded()[0], "programs cannot be told by their user: nothing is shown by this")
    tool.stop()
    wait_until(lambda: loaded() == (set(), set()), "programs left after the end", 20)
    wait_until(lambda: not map_ids() - maps - maps_of_others(), "maps left", 30)
    equal(unfinished, [], "unfinished entries in the cache")
    equal(files() - before, set(), "files")
    return "%d kills, %d of them while it traced; %d entries in the cache, all whole" % (
        KILLS, traced, len(entries))


@fault("16 file descriptors and fewer, cold and warm", "one clear error, or works")
def few_descriptors(scene):
    worked = said = 0
    for limit in (3, 8, 12, 16, 24):
        for more in (["--no-cache"], []):
            ended = limited(["--nofile=%d" % limit], more)
            worked, said = worked + ended, said + (not ended)
    return "%d starts: %d worked, %d said one line" % (worked + said, worked, said)


@fault("little address space (RLIMIT_AS), 4 MB to 1 GB, cold and warm", "one clear error, or works")
def little_memory(scene):
    worked = said = 0
    for megabytes in (4, 8, 16, 64, 192, 1024):
        for more in (["--no-cache"], []):
            ended = limited(["--as=%d" % (megabytes << 20)], more, megabytes < 5)
            worked, said = worked + ended, said + (not ended)
    return "%d starts: %d worked, %d said one line" % (worked + said, worked, said)


def limited(limits, more, before_main=False):
    """Whether it works so; else it says one line. before_main: the loader may be who says it."""
    status, out, err = once(*EXTRA, *more, "--duration", "1", "--port", "7072",
                            before=("prlimit", *limits))
    if status == 0:
        return True
    what = "%s %s: status %d, said %r" % (limits, more, status, err)
    check(status == 1 or before_main or "shared libraries" in err, what)
    check(err.count("\n") == 1 or before_main, what)
    equal(out, "", "output with " + what)
    return False


@fault("the network namespace and the cgroup filtered on vanish, others come",
       "no error, no event of others")
def places_vanish(scene):
    tried = 0
    for kind in ("netns", "cgroup"):
        place = scene.namespace() if kind == "netns" else scene.cgroup()
        inside = {"namespace": place} if kind == "netns" else {"cgroup": place}
        client = scene.client(**inside)
        tool = scene.tool("--" + kind, place.path)
        client.run("127.0.0.1", 80)
        seen = client.pid
        client.kill()
        place.__exit__(None, None, None)
        for _ in range(20):  # the inode number of the one that went might be given again
            other = type(place)()
            with other:
                inside = {"namespace": other} if kind == "netns" else {"cgroup": other}
                with scene.__class__(scene.live) as inner:
                    inner.client(**inside).run("127.0.0.1", 80)
            tried += 1
        scene.client().run("127.0.0.1", 80)
        rows = tool.finish()
        equal([row.pid for row in rows], [seen], "PIDs of the events with --" + kind)
        place.__enter__()  # for the scene to take away
    return "one event each, none from %d others made afterwards" % tried


@fault("suspend of a day", "TTLs as the manual says")
def suspend(scene):
    raise Skip("this machine cannot suspend; ages are told by CLOCK_MONOTONIC, which stands still "
               "meanwhile: so does an answer's age")
