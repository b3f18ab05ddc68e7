# SPDX-License-Identifier: Apache-2.0
"""Each filter: what is inside is shown, what is outside is not."""

from harness import equal, test
from tool import places

FOUR = (4, "127.0.0.1", "127.0.0.1", 80)
SIX = (6, "::1", "::1", 80)
MAPPED = (4, "127.0.0.1", "127.0.0.1", 81)


@test
def one_process(scene):
    inside, outside = scene.client(), scene.client()
    tool = scene.tool("-p", inside.pid)
    for client in (outside, inside, outside):
        client.run("127.0.0.1", 80)
    equal([row.pid for row in tool.finish()], [inside.pid], "PID")


@test
def processes(scene):
    clients = [scene.client() for _ in range(4)]
    first, _, third, _ = wanted = [client.pid for client in clients]
    tool = scene.tool("--pid", "%d,%d" % (third, first))
    for client in clients + clients:
        client.run("::1", 80)
        client.run("192.0.2.1", 80)  # fails at once: another path through the probes
    equal([row.pid for row in tool.finish()], [wanted[0]] * 2 + [wanted[2]] * 2
          + [wanted[0]] * 2 + [wanted[2]] * 2, "PID")


@test
def most_processes(scene):
    """As many as the option takes."""
    clients = [scene.client() for _ in range(2)]
    others = [pid for pid in range(1000001, 1000256)]
    tool = scene.tool("-p", ",".join(map(str, others + [clients[0].pid])))
    for client in clients:
        client.run("127.0.0.1", 80)
    equal([row.pid for row in tool.finish()], [clients[0].pid], "PID")


def ports_seen(scene, *options):
    client = scene.client()
    tool = scene.tool("-p", client.pid, *options)
    for address in ("127.0.0.1", "::1", "::ffff:127.0.0.1", "192.0.2.1", "2001:db8::1"):
        for port in (80, 81, 443, 65535):
            client.run(address, port)
    return [(row.daddr, row.dport) for row in tool.finish()]


@test
def one_port(scene):
    equal(ports_seen(scene, "-P", "443"),
          [(address, 443) for address in ("127.0.0.1", "::1", "127.0.0.1", "192.0.2.1",
                                          "2001:db8::1")], "events")


@test
def ports(scene):
    equal(ports_seen(scene, "-P", "65535,80"),
          [(address, port) for address in ("127.0.0.1", "::1", "127.0.0.1", "192.0.2.1",
                                           "2001:db8::1") for port in (80, 65535)], "events")


@test
def one_user(scene):
    inside, outside = scene.client(uid=12345), scene.client(uid=12346)
    tool = scene.tool("-P", "7071", "-u", "12345")
    for client in (outside, inside, outside):
        client.run("127.0.0.1", 7071)
    equal([row.pid for row in tool.finish()], [inside.pid], "PID")


@test
def users(scene):
    """The user is who connects, root among them."""
    clients = [scene.client(uid=uid) for uid in (12345, 0, 65534, 12346)]
    pids = ",".join(str(client.pid) for client in clients)
    tool = scene.tool("-p", pids, "-Uu0,12346")
    for client in clients:
        client.run("127.0.0.1", 80)
    equal([row.uid for row in tool.finish()], [0, 12346], "UID")


def family_seen(scene, *options):
    client = scene.client()
    tool = scene.tool("-p", client.pid, *options)
    client.run("127.0.0.1", 80)
    client.run("::1", 80)
    client.run("::ffff:127.0.0.1", 81)
    for address in ("192.0.2.1", "2001:db8::1", "::ffff:192.0.2.2"):
        client.run(address, 80)
    return places(tool.finish())


NO_FOUR = (4, "0.0.0.0", "192.0.2.1", 80)
NO_SIX = (6, "::", "2001:db8::1", 80)
NO_MAPPED = (4, "0.0.0.0", "192.0.2.2", 80)


@test
def no_family(scene):
    equal(family_seen(scene), [FOUR, SIX, MAPPED, NO_FOUR, NO_SIX, NO_MAPPED], "events")


@test
def ipv4(scene):
    """IPv4-mapped connects are IPv4."""
    equal(family_seen(scene, "-4"), [FOUR, MAPPED, NO_FOUR, NO_MAPPED], "events")


@test
def ipv6(scene):
    """... and not IPv6."""
    equal(family_seen(scene, "--ipv6"), [SIX, NO_SIX], "events")


@test
def with_local_port(scene):
    """-L takes another path by tracepoints; filters hold there, too."""
    for options, wanted in ((["-4"], [FOUR, MAPPED, NO_FOUR, NO_MAPPED]), (["-6"], [SIX, NO_SIX]),
                            (["-P81"], [MAPPED])):
        equal(family_seen(scene, "-L", *options), wanted, "events with -L " + options[0])


@test
def all_together(scene):
    inside, outside = scene.client(uid=12345), scene.client(uid=12345)
    tool = scene.tool("-p", inside.pid, "-u", 12345, "-P", "80,81", "-4")
    for client in (inside, outside):
        for address in ("127.0.0.1", "::1"):
            for port in (79, 80, 81):
                client.run(address, port)
    equal([(row.pid, row.daddr, row.dport) for row in tool.finish()],
          [(inside.pid, "127.0.0.1", 80), (inside.pid, "127.0.0.1", 81)], "events")


@test
def other_namespace(scene):
    """Tracing is host-wide: each network namespace, whichever the tool runs in."""
    clients = [scene.client(namespace=namespace)
               for namespace in (scene.home, scene.namespace(), None)]
    tool = scene.tool("-p", ",".join(str(client.pid) for client in clients))
    for client in clients:
        client.run("127.0.0.1", 9)
    equal([row.pid for row in tool.finish()], [client.pid for client in clients], "PID")
