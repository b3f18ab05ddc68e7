# SPDX-License-Identifier: Apache-2.0
"""What cannot be among the lines of -j. The tests here use it and those in the emulator, so it needs
nothing of either."""


def made_up(lines):
    """
    Lines that cannot be: a process has one connect open at a time, so that only its last one may
    be PENDING, cut off by the end of the tool; all others were OK.
    """
    last = {}
    for line in sorted(lines, key=lambda line: line["ts_us"] - line["latency_ms"] * 1000):
        last[line["pid"]] = line
    return [(line["result"], line["latency_ms"], line["pid"], line["lport"]) for line in lines
            if line["result"] != "OK" and not (line["result"] == "PENDING"
                                               and line is last[line["pid"]])]
