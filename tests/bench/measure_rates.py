# SPDX-License-Identifier: Apache-2.0
"""How many records a second become lines."""

from bench import Row, Skip, check, command, measure, millions, times

PYTHON = "/usr/bin/python3"
# A line as bcc's tool makes it: the record laid out for ctypes, addresses by inet_ntop(),
# printb() of the whole; to /dev/null.
BCC_LINES = """
import ctypes, socket, struct, sys, time
from bcc.utils import printb
class Event(ctypes.Structure):
    _fields_ = [("ts_us", ctypes.c_ulonglong), ("pid", ctypes.c_uint), ("uid", ctypes.c_uint),
                ("saddr", ctypes.c_uint), ("daddr", ctypes.c_uint), ("ip", ctypes.c_ulonglong),
                ("lport", ctypes.c_ushort), ("dport", ctypes.c_ushort),
                ("task", ctypes.c_char * 16)]
record = bytes(Event(1, 4711, 0, 0x0100007f, 0x0200007f, 4, 0, 443, b"curl"))
where = ctypes.create_string_buffer(record)
null = open("/dev/null", "w")
def text(address):
    return socket.inet_ntop(socket.AF_INET, struct.pack("I", address)).encode()
def line():
    e = ctypes.cast(where, ctypes.POINTER(Event)).contents
    printb(b"%-7d %-12.12s %-2d %-16s %-16s %-6d %s" % (
        e.pid, e.task, e.ip, text(e.saddr), text(e.daddr), e.dport, b""), file=null)
count, end, began = 0, float(sys.argv[1]), time.process_time()
while time.process_time() - began < end:
    for _ in range(1000):
        line()
    count += 1000
print(count / (time.process_time() - began))
"""


def rate(bench, seconds, *options):
    records, lines = map(int, command(bench.program("bench-events"), seconds, *options).split())
    check(lines > 0, "bench-events printed nothing")
    return float(records)


@measure
def rates(bench):
    seconds = bench.often(1, 0.05)
    table, json = rate(bench, seconds), rate(bench, seconds, "--json")
    wide = rate(bench, seconds, "-d", "-t", "-U", "-L")
    wide_json = rate(bench, seconds, "--json", "-d")
    try:
        bcc = float(command(PYTHON, "-c", BCC_LINES, seconds))
    except Exception as error:
        raise Skip("bcc's Python module does not work: %s" % error)
    what = "records decoded, ordered, printed on one core, "
    return [
        Row(what + "table", millions(table), "3 million/s", table >= 3e6,
            "bcc's formatting: " + millions(bcc), times(table / bcc)),
        Row(what + "`-dtUL`", millions(wide)),
        Row(what + "JSON", millions(json), "1 million/s", json >= 1e6),
        Row(what + "JSON with `-d`", millions(wide_json), "1 million/s", wide_json >= 1e6),
    ]
