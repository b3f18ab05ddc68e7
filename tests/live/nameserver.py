# SPDX-License-Identifier: Apache-2.0
"""DNS messages (RFC 1035), and a server that answers what the test says."""

import os
import select
import socket
import struct

import places
import traffic

A, NS, CNAME, AAAA, OPT, DNAME, HTTPS = 1, 2, 5, 28, 41, 39, 65
RESPONSE = 0x8180  # QR, RD, RA
TRUNCATED = 0x0200
ASKED = b"\xc0\x0c"  # a pointer to the question's name


def name(text):
    """A name on the wire; text as plain labels, or a list of labels as bytes."""
    labels = [label.encode() for label in text.split(".")] if isinstance(text, str) else text
    return b"".join(bytes([len(label)]) + label for label in labels if label) + b"\0"


def query(asked, kind=A, edns=0):
    wire = struct.pack("!HHHHHH", 0x4242, 0x0100, 1, 0, 0, 1 if edns else 0)
    wire += name(asked) + struct.pack("!HH", kind, 1)
    if edns:
        wire += b"\0" + struct.pack("!HHIH", OPT, edns, 0, 0)
    return wire


def record(owner, kind, data, ttl=60):
    return owner + struct.pack("!HHIH", kind, 1, ttl, len(data)) + data


def address(text, owner=ASKED):
    six = ":" in text
    packed = socket.inet_pton(socket.AF_INET6 if six else socket.AF_INET, text)
    return record(owner, AAAA if six else A, packed)


def question_of(message):
    """The question section of a query, name, type and class."""
    at = 12
    while message[at]:
        at += 1 + message[at]
    return message[12:at + 5]


def answer(message, *records, flags=RESPONSE, count=None, questions=1):
    """The answer to a query, with these records in its answer section."""
    return (message[:2]
            + struct.pack("!HHHHH", flags, questions, len(records) if count is None else count,
                          0, 0)
            + question_of(message) * questions + b"".join(records))


def addresses(*texts, **more):
    """A rule that answers with these addresses."""
    return lambda message: answer(message, *map(address, texts), **more)


def serve(scene, rules, at=("127.0.0.1",), port=53, namespace=None):
    """
    Answer queries sent to these addresses. rules: {name asked: function of the query that
    returns the answer's bytes}; names of others get no answer.
    """
    sockets = []
    with (namespace or scene.home).entered():
        for place in at:
            sock = socket.socket(socket.AF_INET6 if ":" in place else socket.AF_INET,
                                 socket.SOCK_DGRAM)
            sock.bind((place, port))
            scene.callback(sock.close)
            sockets.append(sock)
    by_question = {name(asked): rule for asked, rule in rules.items()}

    def work():
        while True:
            for sock in select.select(sockets, [], [])[0]:
                message, sender = sock.recvfrom(65535)
                rule = by_question.get(question_of(message)[:-4])
                if rule:
                    sock.sendto(rule(message), sender)

    scene.client(work, namespace=namespace or scene.home).start()


def receive(sock, way):
    """Take the answer, one of the ways a process can."""
    if way == "recv":
        return sock.recv(65535)
    if way == "recvfrom":
        return sock.recvfrom(65535)[0]
    if way == "read":
        return os.read(sock.fileno(), 65535)
    if way == "recvmsg":
        return sock.recvmsg(65535)[0]
    if way == "readv":  # the answer falls into three pieces
        parts = [bytearray(10), bytearray(30), bytearray(65535)]
        size = os.readv(sock.fileno(), parts)
        return b"".join(parts)[:size]
    if way == "peek":  # seen twice, received once
        sock.recv(65535, socket.MSG_PEEK)
        return sock.recv(65535)
    if way == "sized":  # asked for its length first, with no room for it, as systemd-resolved does
        select.select([sock], [], [], 5)
        size = places.call("recv", sock.fileno(), None, 0, socket.MSG_PEEK | socket.MSG_TRUNC)
        return sock.recv(size)
    raise ValueError(way)


def ask(asked, server="127.0.0.1", kind=A, edns=0, connected=True, way="recv",
        server_port=53):
    """Ask a server, over UDP; the length of its answer."""
    sock = socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(None if way in ("read", "readv") else 5)
    wire = query(asked if isinstance(asked, str) else [bytes(label) for label in asked], kind,
                 edns)
    if connected:
        sock.connect((server, server_port))
        sock.send(wire)
    else:
        sock.sendto(wire, (server, server_port))
    got = len(receive(sock, way))
    sock.close()
    return got


def ask_and_connect(asked, target, port=80, **more):
    """Ask, and connect to what the answer is supposed to be about; the answer's length."""
    got = ask(asked, **more)
    traffic.connect(target, port)
    return got
