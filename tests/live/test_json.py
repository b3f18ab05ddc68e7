# SPDX-License-Identifier: Apache-2.0
"""--json as programs read it: each line that the tool really printed, through jq and the schema."""

import collections
import datetime
import json
import os
import re
import shutil
import signal
import subprocess
import time

from harness import HERE, Skip, check, equal, one_line, test, wait_until
from nameserver import addresses, ask_and_connect, serve
from outcomes import NEAR, NOBODY, in_syn_sent, start
from traffic import connect


def schema(text):
    """What tests/live/json-schema counts: {kind of line: number}."""
    done = subprocess.run([os.path.join(HERE, "json-schema")], input=text, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)
    said = done.stdout.decode().strip()
    if done.returncode == 77:
        raise Skip(said)
    check(done.returncode == 0, "the schema refuses: %s" % one_line(done.stderr.decode()))
    return {kind: int(count) for count, kind in re.findall(r"(\d+) (\w+)", said)}


def jq(program, text):
    if not shutil.which("jq"):
        raise Skip("jq is not installed")
    done = subprocess.run(["jq", "-c", program], input=text, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)
    check(done.returncode == 0 and not done.stderr, "jq: %s" % one_line(done.stderr.decode()))
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def printed(tool, most=1000):
    """
    The lines, all or that many of them and those that tell of a loss through jq and the schema
    (in Python a line takes a millisecond); and how many there are of each kind.
    """
    tool.stop()
    with open(tool.out_path, "rb") as file:
        raw = file.readlines()
    lines = [json.loads(line) for line in raw]
    first = raw[:most] + [line for line in raw[most:] if b'"lost"' in line]
    text = b"".join(first)
    equal(jq(".", text), [json.loads(line) for line in first], "what jq reads")
    equal(sum(schema(text).values()), len(first), "lines that the schema saw")
    return lines, collections.Counter(
        "lost" if "lost" in line else "flow" if "connects" in line else "connect"
        for line in lines)


def of_connects(lines):
    """
    Without the losses of DNS answers: -d sees those of the whole machine, where somebody else may
    flood it. No other loss is allowed.
    """
    for loss in (line["lost"] for line in lines if "lost" in line):
        equal([name for name, count in loss.items()
               if count and name not in ("total", "answers_buffer_full", "answers_no_memory")], [],
              "losses")
    return [line for line in lines if "lost" not in line]


def work(*_):
    """Of each kind one: accepted, refused, failed at once, given up, and still open at the end."""
    for address, port, more in (("127.0.0.1", 80, {}), ("::1", 80, {}), ("127.0.0.1", 81, {}),
                                ("192.0.2.1", 80, {}), ("2001:db8::1", 80, {}),
                                ("::ffff:127.0.0.1", 80, {}), (NOBODY, 80, {"timeout": 0.1})):
        connect(address, port, **more)


SEEN = [[4, "127.0.0.1", 80], [6, "::1", 80], [4, "127.0.0.1", 81], [4, "192.0.2.1", 80],
        [6, "2001:db8::1", 80], [4, "127.0.0.1", 80], [4, NOBODY, 80]]
ENDED = ["OK", "OK", "ECONNREFUSED", "ENETUNREACH", "ENETUNREACH", "OK", "ABORTED"]


def stage(scene, **place):
    scene.home.unanswered(NEAR)
    scene.listen("127.0.0.1", 80)
    scene.listen("::1", 80)
    serve(scene, {"www.example.test": addresses("127.0.0.1")})
    return scene.client(work, **place), scene.client(ask_and_connect)


@test
def connects(scene):
    """With and without -r and -d, in each combination."""
    client, asker = stage(scene)
    for options in ([], ["-r"], ["-d"], ["-r", "-d"], ["-F"], ["-r", "-L", "-t", "-T", "-U"]):
        tool = start(scene, "-p", "%d,%d" % (client.pid, asker.pid), *options)
        asker.run("www.example.test", "127.0.0.1", 81)
        client.run()
        lines = of_connects(printed(tool)[0])
        what = "with %s" % options
        made = [[4, "127.0.0.1", 81], *SEEN]
        ends = ["ECONNREFUSED", *ENDED]
        if "-F" in options:
            made = [one for one, end in zip(made, ends) if end != "OK"]
            ends = [end for end in ends if end != "OK"]
        text = "\n".join(map(json.dumps, lines)).encode()
        equal(jq("[.family, .daddr, .dport]", text), made, "events " + what)
        equal(jq(".result", text), ends if {"-r", "-F"} & set(options) else [None] * len(made),
              "results " + what)
        equal(["dns" in line for line in lines], ["-d" in options] * len(lines), "dns " + what)
        if "-d" in options:
            equal(jq(".dns.query", text)[0], "www.example.test", "name " + what)


@test
def pending(scene):
    client, _ = stage(scene)
    scene.home.nft("tcp dport 82 drop")
    waiting = scene.client()
    tool = start(scene, "-r", "-d", "-p", "%d,%d" % (client.pid, waiting.pid))
    client.run()
    waiting.start("127.0.0.1", 82, timeout=20)
    wait_until(lambda: in_syn_sent(waiting.pid, 82) == 1, "the last one is not under way")
    lines, _ = printed(tool)
    equal([line["result"] for line in of_connects(lines)], [*ENDED, "PENDING"], "results")


@test
def flows(scene):
    """-c, at the end and at each interval."""
    client, _ = stage(scene)
    for options in ([], ["-r"], ["-i", "1"], ["-r", "-i", "1"], ["-F"]):
        tool = start(scene, "-c", "-p", client.pid, *options)
        client.run()
        if "-i" in options:
            wait_until(lambda: tool.out().count("\n"), "no interval ends")
        lines, kinds = printed(tool)
        # An interval may end amid the connects.
        equal(list(kinds), ["flow"], "kinds of lines with %s" % options)
        equal(sum(line["connects"] for line in lines), 4 if "-F" in options else len(SEEN),
              "connects with %s" % options)
        equal(all("result" in line for line in lines), bool({"-r", "-F"} & set(options)),
              "results with %s" % options)


@test
def interval_counted(scene):
    """interval_ms is the time since the line before, also after a stop that skips some."""
    client = scene.client()
    tool = start(scene, "-c", "-i", "1", "-p", client.pid)

    def connect_until(lines):
        client.run("127.0.0.1", 81)
        return tool.out().count("\n") >= lines

    wait_until(lambda: connect_until(2), "no interval ends")
    tool.send(signal.SIGSTOP)
    time.sleep(3.5)
    tool.send(signal.SIGCONT)
    wait_until(lambda: connect_until(4), "no interval ends")
    lines, _ = printed(tool)
    ends = [datetime.datetime.fromisoformat(line["time"]).timestamp() * 1000 for line in lines]
    for line, before, end in zip(lines[1:], ends, ends[1:]):
        check(abs(end - before - line["interval_ms"]) < 5, "%s ms after %s" % (end - before, line))
    check(max(line["interval_ms"] for line in lines) > 3000, "it did not stop")


@test
def lost(scene):
    """What is lost is an object, too: while it happens, and in total at the end."""
    for options in ([], ["-r"], ["-d"]):
        program = scene.program("connects", 2, scene.fewer(4000), "127.0.0.1", 81)
        tool = start(scene, "-p", program.pid, "--pages", 1, *options)
        made = int(program.run().split()[0])
        lines, kinds = printed(tool)
        check(kinds["lost"], "nothing was lost: nothing is shown by this")
        losses = [line["lost"] for line in lines if "lost" in line]
        equal([loss["total"] for loss in losses[-1:]], [True], "the last one is the total")
        equal(kinds["connect"] + losses[-1]["buffer_full"], made, "shown and lost")
        parts = sum(loss["buffer_full"] for loss in losses[:-1] if not loss["total"])
        check(parts <= losses[-1]["buffer_full"], "the parts are more than the total: %s" % losses)


@test
def lost_counts(scene):
    """... of flows for which there was no room."""
    program = scene.program("flows", 262144 + 500, "127.64.0.0")
    tool = start(scene, "-c", "-p", program.pid)
    program.run()
    lines, kinds = printed(tool)
    equal(kinds["flow"], 262144, "flows")
    equal([line["lost"]["counts_full"] for line in lines if "lost" in line
           and line["lost"]["total"]], [500], "lost")


@test
def hostile_names(scene):
    """Names that are no UTF-8, or would break a line, come through, and back."""
    for comm in (b"a\nb\"c\\d", b"\x1b[31mred", b"\xff\xfe\xc3(", "\u202eevil".encode(),
                 b"\x7f\x01\x1f", "gr\u00fc\u00df".encode()):
        client = scene.client(comm=comm)
        for options in ([], ["-r"]):
            tool = start(scene, "-p", client.pid, *options)
            client.run("127.0.0.1", 81)
            (line,), _ = printed(tool)
            whole = bytes.fromhex(line["comm_hex"]) if "comm_hex" in line else line["comm"].encode()
            equal(whole, comm, "the name")
