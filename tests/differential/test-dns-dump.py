#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What dns-dump prints, and how it ends: test-dns-dump.py PROGRAM"""

import json
import os
import struct
import subprocess
import sys
import tempfile
import unittest

PROGRAM = os.path.abspath(sys.argv[1])
HEADER = struct.pack("!6H", 1, 0x8180, 1, 1, 0, 0)
QUESTION = b"\x03www\x07example\x03com\x00\x00\x01\x00\x01"
ANSWER = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x01"
GOOD = HEADER + QUESTION + ANSWER


def run(*arguments, stdin=b""):
    return subprocess.run([PROGRAM, *arguments], input=stdin, capture_output=True, check=False)


def stream(*messages):
    return b"".join(struct.pack("!H", len(message)) + message for message in messages)


class Dump(unittest.TestCase):
    def dump_file(self, name, message):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(os.fsencode(folder), name)
            with open(path, "wb") as out:
                out.write(message)
            done = run(path)
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            self.assertEqual(done.stdout.count(b"\n"), 1)
            return folder, json.loads(done.stdout.decode("utf-8"))

    def test_the_whole_line(self):
        done = run("--stdin", stdin=stream(GOOD))
        self.assertEqual(done.stdout,
                         b'{"file": "stdin:1", "status": "ok", "question": "www.example.com", '
                         b'"addresses": ["192.0.2.1"]}\n')

    def test_each_status(self):
        query = GOOD[:2] + b"\x01\x00" + GOOD[4:]
        done = run("--why", "--stdin", stdin=stream(GOOD, query, GOOD[:-1], b""))
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([line["file"] for line in lines], [f"stdin:{i}" for i in (1, 2, 3, 4)])
        self.assertEqual([(line["status"], line["why"]) for line in lines],
                         [("ok", "whole"), ("ignored", "a query"),
                          ("malformed", "ends too early"), ("malformed", "ends too early")])
        for line in lines[1:]:
            self.assertEqual((line["question"], line["addresses"]), ("", []))

    def test_names_of_files(self):
        for name, shown in ((b"plain", "plain"), (b'a"b\\c', 'a"b\\c'), (b"\x01\n\x7f", "\x01\n\x7f"),
                            ("é–𝄞".encode(), "é–𝄞"), (b"\xff\xfe", "\ufffd\ufffd"),
                            (b"\xc3", "\ufffd"), (b"\xc0\xaf", "\ufffd\ufffd"),
                            (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd"), (b"\xe2\x82", "\ufffd\ufffd"),
                            (b"\xf4\x90\x80\x80", "\ufffd" * 4)):
            folder, line = self.dump_file(name, GOOD)
            self.assertEqual(line["file"], folder + "/" + shown)
            self.assertEqual(line["addresses"], ["192.0.2.1"])

    def test_question_with_every_byte(self):
        messages = [HEADER + bytes((1, byte, 0, 0, 1, 0, 1)) + ANSWER for byte in range(256)]
        lines = run("--stdin", stdin=stream(*messages)).stdout.splitlines()
        self.assertEqual(len(lines), 256)
        for byte, line in enumerate(lines):
            char = chr(byte)
            expected = (char if char.isascii() and (char.isalnum() or char in "-_") else
                        "\\" + char if char in ".\\" else f"\\{byte:03d}")
            self.assertEqual(json.loads(line)["question"], expected)

    def test_several_files_and_one_missing(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "good")
            with open(path, "wb") as out:
                out.write(GOOD)
            done = run(path, os.path.join(folder, "missing"), folder, path)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout.count(b'"ok"'), 2)
        self.assertEqual(done.stderr.count(b"\n"), 2)
        self.assertIn(b"missing: No such file", done.stderr)

    def test_too_long_a_file(self):
        with tempfile.NamedTemporaryFile() as out:
            out.write(bytes(65536))
            out.flush()
            done = run(out.name)
        self.assertEqual((done.returncode, done.stdout), (1, b""))

    def test_longest_message(self):
        message = GOOD + bytes(65535 - len(GOOD))
        line = json.loads(run("--stdin", stdin=stream(message)).stdout)
        self.assertEqual((line["status"], line["addresses"]), ("ok", ["192.0.2.1"]))

    def test_stream_that_ends_early(self):
        whole = stream(GOOD)
        for size in range(1, len(whole)):
            done = run("--stdin", stdin=whole[:size])
            self.assertEqual((done.returncode, done.stdout), (1, b""))
            self.assertIn(b"inside message 1", done.stderr)
        self.assertEqual(run("--stdin").returncode, 0)

    def test_usage(self):
        for arguments in ((), ("--stdin", "file"), ("--nonsense",), ("--why",)):
            self.assertEqual(run(*arguments).returncode, 2)

    def test_full_disk(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([PROGRAM, "--stdin"], input=stream(GOOD), stdout=full,
                                  stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"cannot write", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
