# SPDX-License-Identifier: Apache-2.0
"""-d with the name servers and the clients of real systems: what was looked up is shown."""

import os
import socket

import nameserver as ns
from harness import Skip, check, command, equal, test, wait_until
from test_names import names_of, without_age
from traffic import connect

FOUR, SIX = "10.9.9.11", "fd00::11"
CURL_NOT_CONNECTED = 7  # its exit status: the port is closed
UNBOUND = """
server:
  interface: 127.0.0.1
  interface: ::1
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "{directory}"
  pidfile: ""
  use-syslog: no
  logfile: ""
  num-threads: 1
  do-not-query-localhost: no
  module-config: "iterator"
  local-zone: "test." transparent
  local-data: "www.unbound.test. 60 IN A 10.9.9.11"
  local-data: "www.unbound.test. 60 IN AAAA fd00::11"
remote-control:
  control-enable: no
"""


def give_addresses(scene):
    """To the namespace. getent asks for a family only where there is more than 127.0.0.1."""
    scene.home.ip("addr", "replace", FOUR + "/32", "dev", "lo")
    scene.home.ip("addr", "replace", SIX + "/128", "dev", "lo", "nodad")


def wait_for_server(scene, server, name):
    client = scene.client(lambda: ns.ask(name, server))

    def answers():
        try:
            return client.run() > 12
        except Exception:  # nobody listens there yet
            return False

    wait_until(answers, "the name server at %s does not answer" % server)
    client.kill()


def dnsmasq(scene, *more, at=("127.0.0.1", "::1")):
    """Names under dnsmasq.test, on port 53 of these addresses."""
    give_addresses(scene)
    scene.daemon("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv",
                 "--no-hosts", "--bind-interfaces", "--user=root", "--pid-file=",
                 *["--listen-address=" + address for address in at],
                 "--host-record=www.dnsmasq.test,%s,%s" % (FOUR, SIX),
                 "--cname=alias.dnsmasq.test,www.dnsmasq.test", *more)
    for address in at:
        wait_for_server(scene, address, "www.dnsmasq.test")


def unbound(scene, more=""):
    give_addresses(scene)
    directory = scene.directory()
    path = os.path.join(directory, "unbound.conf")
    with open(path, "w") as conf:
        conf.write(UNBOUND.format(directory=directory) + more)
    command("unbound-checkconf", path)
    scene.daemon("unbound", "-d", "-c", path)
    for address in ("127.0.0.1", "::1"):
        wait_for_server(scene, address, "www.unbound.test")


def resolving_by(scene, server):
    """The files that make the C library ask that server and nobody else."""
    directory = scene.directory()
    files = {}
    for path, text in (("/etc/resolv.conf", "nameserver %s\noptions edns0\n" % server),
                       ("/etc/nsswitch.conf", "hosts: files dns\n"),
                       ("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n")):
        if not os.path.exists(path):
            raise Skip("there is no %s to put another in the place of" % path)
        files[path] = os.path.join(directory, os.path.basename(path))
        with open(files[path], "w") as f:
            f.write(text)
    return files


def equal_names(rows, wanted, what):
    equal(sorted((row.ip, row.daddr, without_age(row.query)) for row in rows), sorted(wanted),
          what)


def curl_from(scene, server, name):
    files = resolving_by(scene, server)
    for family, wanted in (("-4", [(4, FOUR, name)]), ("-6", [(6, SIX, name)])):
        curl = scene.executable("/usr/bin/curl", "-s", family, "-m", 10, "http://%s:81/" % name,
                                files=files)
        tool = scene.tool("-d", "-p", curl.pid)
        curl.start()
        curl.result(status=CURL_NOT_CONNECTED)
        equal_names(tool.finish(), wanted, "events of curl " + family)


def python_from(scene, server, name):
    """getaddrinfo(), and a connect to each address that it gave."""
    def work():
        return [entry[4][0] for entry in socket.getaddrinfo(name, 80, type=socket.SOCK_STREAM)
                if connect(entry[4][0], 80)]

    client = scene.client(work, files=resolving_by(scene, server))
    tool = scene.tool("-d", "-p", client.pid)
    equal(sorted(client.run()), sorted([FOUR, SIX]), "addresses found")
    equal_names(tool.finish(), [(4, FOUR, name), (6, SIX, name)], "events")


def followed_up(scene, argv, target, name):
    """The name was looked up by one process (argv); another connects."""
    lookup = scene.executable(*argv[:-1], files=argv[-1])
    client = scene.client()
    tool = scene.tool("-d", "-p", client.pid)
    said = lookup.run()
    check(target in said, "%s did not find the address: %r" % (argv[0], said))
    client.run(target, 80)
    equal(names_of(tool), [name], "QUERY after %s" % argv[0])


def by_all_clients(scene, server, name):
    files = resolving_by(scene, server)
    curl_from(scene, server, name)
    python_from(scene, server, name)
    followed_up(scene, ("/usr/bin/getent", "ahostsv4", name, files), FOUR, name)
    followed_up(scene, ("/usr/bin/getent", "ahostsv6", name, files), SIX, name)
    dig = ("/usr/bin/dig", "@" + server, "+short", name)
    followed_up(scene, (*dig, "A", files), FOUR, name)
    followed_up(scene, (*dig, "AAAA", files), SIX, name)


@test
def dnsmasq_ipv4(scene):
    dnsmasq(scene)
    by_all_clients(scene, "127.0.0.1", "www.dnsmasq.test")


@test
def dnsmasq_ipv6(scene):
    dnsmasq(scene)
    by_all_clients(scene, "::1", "www.dnsmasq.test")


@test
def dnsmasq_alias(scene):
    """A CNAME: what curl was asked for is shown."""
    dnsmasq(scene)
    curl_from(scene, "127.0.0.1", "alias.dnsmasq.test")
    curl_from(scene, "::1", "alias.dnsmasq.test")


@test
def dnsmasq_large(scene):
    """Of 200 addresses in one EDNS answer, each has the name."""
    many = ["127.3.0.%d" % n for n in range(1, 201)]
    dnsmasq(scene, "--edns-packet-max=4096",
            *["--host-record=many.dnsmasq.test," + address for address in many])
    client = scene.client(lambda: [ns.ask("many.dnsmasq.test", edns=4096)]
                          + [connect(address, 80) for address in many])
    tool = scene.tool("-d", "-p", client.pid)
    size = client.run()[0]
    check(size > 3200, "the answer has only %d bytes" % size)
    rows = tool.finish()
    equal([row.daddr for row in rows], many, "events")
    # One of the 200 connects may come 100 ms after the answer.
    equal({without_age(row.query) for row in rows}, {"many.dnsmasq.test"}, "QUERY")


@test
def unbound_ipv4(scene):
    unbound(scene)
    by_all_clients(scene, "127.0.0.1", "www.unbound.test")


@test
def unbound_ipv6(scene):
    unbound(scene)
    by_all_clients(scene, "::1", "www.unbound.test")


@test
def forwarding(scene):
    """unbound asks dnsmasq for its clients: the same name, whoever asked whom."""
    dnsmasq(scene, at=("127.0.0.53",))
    unbound(scene, 'forward-zone:\n  name: "dnsmasq.test."\n  forward-addr: 127.0.0.53\n')
    curl_from(scene, "127.0.0.1", "www.dnsmasq.test")
    curl_from(scene, "127.0.0.1", "alias.dnsmasq.test")
