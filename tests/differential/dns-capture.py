#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Answers of real servers, for dns-differential.py and the fuzz seeds.

    dns-capture.py DIRECTORY

Starts dnsmasq and unbound on ports of 127.0.0.1, with zones of their own and nobody
to forward to, asks them, and writes each answer to a file of DIRECTORY. A server that
is not installed is skipped, and the skip is said. Exit status: 0; 1 when there is no
server at all, or one does not answer.
"""

import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

MANY = [f"192.0.2.{i}" for i in range(1, 61)]
RECORDS = {
    "one.test": [("A", "192.0.2.1"), ("AAAA", "2001:db8::1")],
    "four.test": [("A", f"192.0.2.{i}") for i in range(1, 5)],
    "many.test": [("A", address) for address in MANY] +
                 [("AAAA", f"2001:db8::{i:x}") for i in range(1, 61)],
    "UPPER.Test": [("A", "192.0.2.9")],
}
ALIASES = [("www.test", "edge.cdn.test"), ("edge.cdn.test", "one.test"), ("w4.test", "four.test")]
LONG = ".".join(["x" * 60, "y" * 60, "z" * 60, "test"])
NAMES = list(RECORDS) + [alias for alias, _ in ALIASES] + ["none.test", "svc.test", LONG, "test"]
TYPES = {"A": 1, "CNAME": 5, "SOA": 6, "TXT": 16, "AAAA": 28, "SVCB": 64, "HTTPS": 65, "ANY": 255}


def dnsmasq(port, folder):
    lines = [f"port={port}", "no-resolv", "no-hosts", "bind-interfaces", "listen-address=127.0.0.1",
             "local=/test/", "edns-packet-max=4096", "no-daemon", "user=root",
             f"pid-file={folder}/pid", f"txt-record=one.test,{'text ' * 40}",
             f"address=/{LONG}/192.0.2.77"]
    for name, records in RECORDS.items():
        lines += [f"host-record={name},{address}" for _, address in records]
    lines += [f"cname={alias},{target}" for alias, target in ALIASES]
    # HTTPS 1 . alpn=h2 ipv4hint=192.0.2.5 ipv6hint=2001:db8::5
    lines.append("dns-rr=svc.test,65,000100000100030268320004000 4c0000205000600"
                 "1020010db8000000000000000000000005".replace(" ", ""))
    path = os.path.join(folder, "dnsmasq.conf")
    with open(path, "w", encoding="ascii") as out:
        out.write("\n".join(lines) + "\n")
    return ["dnsmasq", "-C", path]


def unbound(port, folder):
    lines = ["server:", f" port: {port}", " interface: 127.0.0.1", " do-daemonize: no",
             ' username: ""', ' chroot: ""', f" directory: {folder}", " use-syslog: no",
             ' pidfile: ""', " edns-buffer-size: 4096", " max-udp-size: 4096",
             ' local-zone: "test." static', " do-not-query-localhost: no",
             " local-data: 'test. SOA ns.test. root.test. 1 2 3 4 5'",
             " local-data: 'svc.test. HTTPS 1 . alpn=h2 ipv4hint=192.0.2.5,192.0.2.6 "
             "ipv6hint=2001:db8::5'",
             " local-data: 'svc.test. SVCB 0 one.test.'",
             f" local-data: 'one.test. TXT \"{'text ' * 40}\"'"]
    for name, records in RECORDS.items():
        lines += [f" local-data: '{name}. {kind} {address}'" for kind, address in records]
    lines += [f" local-data: '{alias}. CNAME {target}.'" for alias, target in ALIASES]
    lines += ["remote-control:", " control-enable: no"]
    path = os.path.join(folder, "unbound.conf")
    with open(path, "w", encoding="ascii") as out:
        out.write("\n".join(lines) + "\n")
    return ["unbound", "-d", "-c", path]


def query(name, kind, edns, checking):
    labels = b"".join(bytes((len(part),)) + part.encode() for part in name.split("."))
    message = struct.pack("!6H", 0x1234, 0x0100 | checking << 4, 1, 0, 0, 1 if edns else 0)
    message += labels + b"\0" + struct.pack("!HH", kind, 1)
    if edns:
        message += b"\0" + struct.pack("!HHIH", 41, edns, 0x8000, 0)
    return message


def ask(port, message):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(0.5)
        client.sendto(message, ("127.0.0.1", port))
        return client.recv(65535)


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def capture(server, directory):
    written = 0
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = {"dnsmasq": dnsmasq, "unbound": unbound}[server](port, folder)
        with subprocess.Popen(command, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE) as process:
            try:
                for _ in range(40):
                    time.sleep(0.1)
                    try:
                        ask(port, query("one.test", 1, 0, 0))
                        break
                    except OSError:
                        if process.poll() is not None:
                            break
                for name in NAMES:
                    for kind, number in TYPES.items():
                        for edns in (0, 512, 1232, 4096):
                            try:
                                answer = ask(port, query(name, number, edns, edns == 512))
                            except OSError:
                                continue
                            file = f"{server}-{name[:20]}-{kind}-{edns}"
                            with open(os.path.join(directory, file), "wb") as out:
                                out.write(answer)
                            written += 1
            finally:
                process.terminate()
                errors = process.communicate()[1].decode(errors="replace")
        if not written:
            print(f"dns-capture: {server} does not answer: {errors.strip()}", file=sys.stderr)
    return written


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.splitlines()[2].strip())
    os.makedirs(sys.argv[1], exist_ok=True)
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    os.environ["PATH"] = path
    servers = 0
    for server in ("dnsmasq", "unbound"):
        if not shutil.which(server, path=path):
            print(f"dns-capture: skipped: {server} is not installed")
            continue
        servers += 1
        written = capture(server, sys.argv[1])
        print(f"dns-capture: {written} answers of {server}")
        if not written:
            return 1
    return 0 if servers else 1


if __name__ == "__main__":
    sys.exit(main())
