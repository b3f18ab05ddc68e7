# SPDX-License-Identifier: Apache-2.0
"""The frame of the live tests: what a test is, how it says what it found, how it cleans up.

A test is a function marked @test that takes a Scene. It is ok when it returns, not ok when a
check fails (or anything else is raised), skipped when it raises Skip. Whatever the scene made,
it takes away again, however the test ends.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
TOOL = os.environ.get("TCPCONNECT", os.path.join(HERE, "../../build/tcpconnect"))
EXTRA = os.environ.get("TCPCONNECT_ARGS", "").split()
# Every wait is this many times as long where the machine is slow (an emulator).
PATIENCE = float(os.environ.get("LIVE_PATIENCE", "1"))

TESTS = []
LIBRARIES = {"uring": ["-luring"], "receive": ["-luring"], "refuse": ["-lbpf"],
             "inject": ["-lbpf"], "spoil": ["-shared", "-fPIC", "-ldl"]}


class Wrong(Exception):
    """A check failed; says why."""


class Skip(Exception):
    """The test cannot be done here; says why."""


def test(function):
    """The test's name is its theme (the file's name without test_) and the function's."""
    theme = function.__module__.replace("test_", "", 1)
    TESTS.append(("%s/%s" % (theme, function.__name__), function))
    return function


def one_line(text, limit=400):
    return re.sub(r"[^ -~]+", " | ", str(text)).strip(" |")[:limit]


def check(condition, why):
    if not condition:
        raise Wrong(why)


def equal(got, wanted, what):
    if got == wanted:
        return
    if isinstance(got, list) and isinstance(wanted, list) and max(len(got), len(wanted)) > 3:
        for at, (one, other) in enumerate(zip(got, wanted)):
            if one != other:
                raise Wrong("%s: %d of %d (wanted %d) is %r, wanted %r"
                            % (what, at + 1, len(got), len(wanted), one, other))
        raise Wrong("%s: %d, wanted %d" % (what, len(got), len(wanted)))
    raise Wrong("%s: %r, wanted %r" % (what, got, wanted))


def wait_until(condition, why, seconds=10):
    """What the condition returned once it was true."""
    end = time.monotonic() + seconds * PATIENCE
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise Wrong("waited %g s in vain: %s" % (seconds * PATIENCE, why))
        time.sleep(0.01)


def command(*argv, **more):
    """Run a command to its end; its standard output."""
    done = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=60 * PATIENCE, **more)
    if done.returncode:
        raise Wrong("%s: status %d: %s" % (" ".join(map(str, argv)), done.returncode,
                                           one_line(done.stderr)))
    return done.stdout


@contextlib.contextmanager
def time_limit(seconds):
    """However a test hangs, it ends as failed."""
    def too_long(*_):
        raise Wrong("not done after %g s" % (seconds * PATIENCE))

    signal.signal(signal.SIGALRM, too_long)
    signal.setitimer(signal.ITIMER_REAL, seconds * PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


class Run:
    """One run of the tests: its directory, its way of attaching, its results."""

    def __init__(self):
        self.directory = None
        self.way = None
        self.passed, self.failed, self.skipped = 0, 0, 0
        self.times = []
        self.built = {}

    def say(self, line):
        print(line, flush=True)

    def program(self, name):
        """A C program of programs/, compiled once a run; its path."""
        if name not in self.built:
            path = os.path.join(self.directory, name)
            command("cc", "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror", "-pthread", "-o",
                    path, os.path.join(HERE, "programs", name + ".c"), *LIBRARIES.get(name, []))
            self.built[name] = path
        return self.built[name]

    def one(self, name, function):
        began = time.monotonic()
        try:
            with Scene(self) as scene, time_limit(120):
                function(scene)
        except Skip as reason:
            self.skipped += 1
            self.say("skip %s - %s" % (name, one_line(reason)))
        except Wrong as why:
            self.failed += 1
            self.say("not ok %s - %s" % (name, one_line(why)))
        except Exception as error:
            at = traceback.extract_tb(error.__traceback__)[-1]
            self.failed += 1
            self.say("not ok %s - %s: %s (%s:%d)"
                     % (name, type(error).__name__, one_line(error),
                        os.path.basename(at.filename), at.lineno))
        else:
            self.passed += 1
            self.say("ok %s" % name)
        self.times.append((time.monotonic() - began, name))

    def close(self):
        if self.directory:
            shutil.rmtree(self.directory, ignore_errors=True)


class Scene(contextlib.ExitStack):
    """What one test has at hand. Imports are late: the rooms beside this one need it too."""

    def __init__(self, run):
        super().__init__()
        self.live = run
        self.way = run.way
        self.patience = PATIENCE
        self._home = None

    @property
    def home(self):
        """A network namespace with nothing but loopback in it, where clients live by default."""
        if not self._home:
            self._home = self.namespace()
        return self._home

    def fewer(self, count):
        """As many of what a test makes in masses, or fewer where the machine is slow."""
        return max(int(count / PATIENCE), 100)

    def note(self, line):
        self.live.say("# " + line)

    def directory(self):
        path = tempfile.mkdtemp(dir=self.live.directory)
        os.chmod(path, 0o755)
        self.callback(shutil.rmtree, path, ignore_errors=True)
        return path

    def namespace(self):
        import places
        return self.enter_context(places.Namespace())

    def cgroup(self):
        import places
        return self.enter_context(places.ControlGroup())

    def bpf_directory(self):
        import places
        return self.enter_context(places.bpf_directory(self.directory()))

    def listen(self, address, port=0, namespace=None, backlog=4096):
        """A listening socket; the kernel accepts for it."""
        import traffic
        with (namespace or self.home).entered():
            listener = traffic.listen(address, port, backlog)
        self.callback(listener.close)
        return listener

    def client(self, work=None, **place):
        import traffic
        place.setdefault("namespace", self.home)
        return self.enter_context(traffic.Client(work or traffic.connect, **place))

    def program(self, name, *arguments, **place):
        """A C program that waits to be told to start."""
        return self.executable(self.live.program(name), *arguments, **place)

    def executable(self, path, *arguments, **place):
        import traffic
        place.setdefault("namespace", self.home)
        return self.enter_context(traffic.Program([path, *map(str, arguments)], **place))

    def daemon(self, *argv, namespace=None):
        import traffic
        return self.enter_context(traffic.daemon(argv, namespace or self.home))

    def tool(self, *options, **more):
        """The tool, tracing."""
        import tool
        return self.enter_context(tool.Tool(self.directory(), options, **more)).wait()

    def launch(self, *options, **more):
        """The tool, just started."""
        import tool
        return self.enter_context(tool.Tool(self.directory(), options, **more))
