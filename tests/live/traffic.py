# SPDX-License-Identifier: Apache-2.0
"""Who connects: processes that exist, and whose PID is known, before they are told to."""

import contextlib
import errno
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import traceback

import places
from harness import PATIENCE, Skip, Wrong, check

PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15
MPTCP = 262  # IPPROTO_MPTCP
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def listen(address, port=0, backlog=4096):
    listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, port))
    listener.listen(backlog)
    return listener


def stream(family, bind=None):
    """A TCP socket that leaves no TIME_WAIT behind."""
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    if bind:
        sock.bind(tuple(bind))
    return sock


def multipath():
    """A socket of MPTCP."""
    try:
        return socket.socket(socket.AF_INET, socket.SOCK_STREAM, MPTCP)
    except OSError as error:
        raise Skip("this kernel makes no MPTCP sockets: %s" % error)


def disconnect(sock):
    """connect(2) with AF_UNSPEC, which Python has not."""
    places.call("connect", sock.fileno(), bytes(16), 16)


def connect(address, port, blocking=True, bind=None, timeout=None):
    """One connect, closed again: [name of the error or "OK", local port]."""
    sock = stream(socket.AF_INET6 if ":" in address else socket.AF_INET, bind)
    if timeout:  # in the kernel: the call itself waits that long
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO,
                        struct.pack("ll", int(timeout), int(timeout % 1 * 1e6)))
    sock.setblocking(blocking)
    error = sock.connect_ex((address, port))
    lport = sock.getsockname()[1]
    sock.close()
    return [errno.errorcode[error] if error else "OK", lport]


def settle(namespace=None, uid=None, cpu=None, comm=None, cgroup=None, own_mounts=False,
           files=None):
    """Become what the place asks for; files: what to see in the place of each path."""
    places.call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL)
    if cgroup:
        cgroup.join()
    if namespace:
        namespace.join()
    if own_mounts or files:
        places.call("unshare", places.CLONE_NEWNS)
    for path, other in (files or {}).items():
        places.call("mount", other.encode(), path.encode(), None, places.MS_BIND, None)
    if cpu is not None:
        os.sched_setaffinity(0, {cpu})
    if comm is not None:
        places.call("prctl", PR_SET_NAME, comm if isinstance(comm, bytes) else comm.encode())
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        places.call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL)  # cleared by the change


class Child:
    """A forked process with one pipe to it and one from it."""

    def __init__(self, live):
        sys.stdout.flush()
        orders, self.orders = os.pipe()
        self.answers, answers = os.pipe()
        self.pid = os.fork()
        if self.pid:
            os.close(orders)
            os.close(answers)
            return
        try:
            live(orders, answers)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def kill(self):
        if not self.pid:
            return
        os.close(self.orders)
        os.close(self.answers)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self.pid = 0

    def read(self, seconds):
        check(select.select([self.answers], [], [], seconds * PATIENCE)[0],
              "the client does not answer")
        return os.read(self.answers, 1 << 16)


class Client(Child):
    """A process that does its work, with the arguments of each run(), as often as told."""

    def __init__(self, work, **place):
        def live(orders, answers):
            settle(**place)
            os.write(answers, b"0")
            while True:
                order = os.read(orders, 1 << 16)
                if not order:
                    return
                try:
                    arguments, named = json.loads(order)
                    said = ["done", work(*arguments, **named)]
                except Exception as error:
                    at = traceback.extract_tb(error.__traceback__)[-1]
                    said = ["failed", "client: %s: %s (%s:%d)"
                            % (type(error).__name__, error, os.path.basename(at.filename),
                               at.lineno)]
                os.write(answers, json.dumps(said).encode())

        super().__init__(live)
        check(self.read(10) == b"0", "a client could not be set up")

    def start(self, *arguments, **named):
        os.write(self.orders, json.dumps([arguments, named]).encode())

    def result(self, seconds=30):
        answer = self.read(seconds)
        check(answer, "the client died")
        how, said = json.loads(answer)
        if how == "failed":
            raise Wrong(said)
        return said

    def run(self, *arguments, **named):
        self.start(*arguments, **named)
        return self.result()


class Program(Child):
    """A process that becomes a program when told to start; its PID stays."""

    def __init__(self, argv, **place):
        def live(orders, answers):
            settle(**place)
            os.write(answers, b"0")
            if not os.read(orders, 1):
                return
            os.dup2(answers, 1)
            os.execvp(argv[0], argv)

        super().__init__(live)
        self.argv = argv
        check(self.read(10) == b"0", "a program's place could not be set up")

    def start(self):
        os.write(self.orders, b"1")

    def result(self, seconds=60, status=0):
        """Its standard output, when it has ended with that status."""
        said = b""
        while True:
            more = self.read(seconds)
            if not more:
                break
            said += more
        _, ended = os.waitpid(self.pid, 0)
        os.close(self.orders)
        os.close(self.answers)
        self.pid = 0
        check(ended == status << 8,
              "%s ended with wait status %#x" % (os.path.basename(self.argv[0]), ended))
        return said.decode("utf-8", "replace")

    def run(self):
        self.start()
        return self.result()


@contextlib.contextmanager
def daemon(argv, namespace):
    """A server that runs as long as the scene does; what it says is dropped unless it dies."""
    process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "nsenter",
                                "--net=" + namespace.path, *map(str, argv)],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
