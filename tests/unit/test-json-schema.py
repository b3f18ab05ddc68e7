#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The schema, and the script that holds lines against it, refuse what is wrong."""
import copy
import importlib.machinery
import importlib.util
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
CHECK = os.path.join(HERE, "..", "live", "json-schema")

CONNECT = {
    "time": "2026-11-23T18:25:43.123456Z", "ts_us": 5000123, "pid": 1, "tid": 2, "ppid": 0,
    "uid": 0, "gid": 4294967295, "comm": "curl", "family": 4, "saddr": "192.0.2.1",
    "lport": 0, "daddr": "192.0.2.2", "dport": 65535, "netns": 0, "mntns": 0, "cgroup_id": 0,
    "dns": {"query": "a\\.b", "age_ms": 0.5, "source": "process"},
    "latency_ms": 1.5, "result": "ECONNREFUSED", "errno": 111, "syn_retransmits": 0,
}
FLOW = {
    "time": "2026-11-23T18:25:43.123456Z", "interval_ms": 1000.0, "family": 6, "saddr": "::1",
    "daddr": "::1", "dport": 1, "result": "OK", "errno": 0, "connects": 1,
}
LOST = {
    "time": "2026-11-23T18:25:43.123456Z",
    "lost": {
        "total": True, "buffer_full": 0, "table_full": 0, "return_missed": 0, "counts_full": 0,
        "answers_buffer_full": 0, "answers_unreadable": 0, "answers_no_memory": 0,
        "records_invalid": 0,
        "records_no_memory": 18446744073709551615,
        "probes_skipped": 3,
    },
}
OPTIONAL = {"dns", "latency_ms", "result", "errno", "syn_retransmits", "comm_hex"}
WRONG = [
    (CONNECT, {"time": "2026-11-23T18:25:43Z"}), (CONNECT, {"time": "2026-13-23T18:25:43.123456Z"}),
    (CONNECT, {"time": "2026-11-23 18:25:43.123456Z"}), (CONNECT, {"time": 5}),
    (CONNECT, {"ts_us": 0.5}), (CONNECT, {"pid": -1}), (CONNECT, {"pid": "1"}),
    (CONNECT, {"uid": 4294967296}), (CONNECT, {"comm": None}), (CONNECT, {"comm": "x" * 17}),
    (CONNECT, {"comm_hex": "f"}), (CONNECT, {"comm_hex": ""}), (CONNECT, {"family": 5}),
    (CONNECT, {"family": 6}), (CONNECT, {"saddr": "::1"}), (CONNECT, {"daddr": ""}),
    (CONNECT, {"dport": 65536}), (CONNECT, {"dns": {}}), (CONNECT, {"dns": "a"}),
    (CONNECT, {"dns": {"query": "a b", "age_ms": 1, "source": "process"}}),
    (CONNECT, {"dns": {"query": "a", "age_ms": -1, "source": "process"}}),
    (CONNECT, {"dns": {"query": "a", "age_ms": 1, "source": "guess"}}),
    (CONNECT, {"dns": {"query": "a", "age_ms": 1, "source": "latest", "more": 1}}),
    (CONNECT, {"latency_ms": -1}), (CONNECT, {"result": "-"}), (CONNECT, {"result": "Connection"}),
    (CONNECT, {"result": "OK"}), (CONNECT, {"errno": 0}), (CONNECT, {"errno": -1}),
    (CONNECT, {"result": None}), (CONNECT, {"more": 1}),
    (FLOW, {"connects": 0}), (FLOW, {"errno": 1}), (FLOW, {"result": "ETIMEDOUT"}),
    (FLOW, {"saddr": "192.0.2.1"}), (FLOW, {"more": 1}), (FLOW, {"interval_ms": -1}),
    (LOST, {"lost": {}}), (LOST, {"lost": 5}), (LOST, {"more": 1}),
    (LOST, {"lost": dict(LOST["lost"], total=1)}), (LOST, {"lost": dict(LOST["lost"], more=1)}),
    (LOST, {"lost": dict(LOST["lost"], buffer_full=-1)}),
]
RAW = [
    b"\n", b"{}\n", b"[]\n", b"null\n", b"Tracing connect ... Hit Ctrl-C to end\n",
    json.dumps(CONNECT).encode(), json.dumps(CONNECT).encode()[:-1] + b',"pid":1}\n',
    json.dumps(dict(CONNECT, comm="\xff")).encode("ascii").replace(b"\\u00ff", b"\xff") + b"\n",
    json.dumps(dict(CONNECT, comm="\x9b"), ensure_ascii=False).encode() + b"\n",
    json.dumps(dict(CONNECT, comm="\u202e"), ensure_ascii=False).encode() + b"\n",
    json.dumps(CONNECT).encode().replace(b"1.5", b"NaN") + b"\n",
]


def load_script():
    loader = importlib.machinery.SourceFileLoader("json_schema", CHECK)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("json_schema", loader))
    loader.exec_module(module)
    return module


def status(raw):
    return subprocess.run([CHECK], input=raw, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, check=False).returncode


def lines():
    """Wrong lines, each with what is wrong with it."""
    for base, change in WRONG:
        yield (json.dumps(dict(base, **change)) + "\n").encode(), str(change)
    for base in (CONNECT, FLOW, LOST):
        for name in base:
            line = copy.deepcopy(base)
            del line[name]
            # Without what makes it a flow or a loss, or one that belongs to others: wrong too.
            if name != "dns":
                yield (json.dumps(line) + "\n").encode(), f"no {name}"
    for raw in RAW:
        yield raw, repr(raw)


def encode(line):
    return (json.dumps(line) + "\n").encode()


def check_lines(script, validator):
    """Returns what went wrong, or None."""
    right = [CONNECT, FLOW, LOST, {k: v for k, v in CONNECT.items() if k not in OPTIONAL},
             dict(CONNECT, dns=None), dict(CONNECT, comm="\ufffd", comm_hex="ff"),
             dict(CONNECT, result="PENDING", errno=0), dict(CONNECT, result=None, errno=0),
             {k: v for k, v in FLOW.items() if k not in OPTIONAL}]
    for line in right:
        script.check(encode(line), validator)
    count = 0
    for raw, what in lines():
        try:
            script.check(raw, validator)
        except ValueError:
            count += 1
        else:
            return f"not refused: {what}"
    print(f"{len(right)} right, {count} wrong")
    return None


def main():
    script = load_script()
    try:
        validator = script.make_validator(script.SCHEMA)
    except ImportError:
        print("skipped: no python3-jsonschema")
        return 77
    wrong = check_lines(script, validator)
    ends = [status(b""), status(b"{}\n"), status(encode(CONNECT) + b"x\n"), status(encode(LOST))]
    if not wrong and ends != [1, 1, 1, 0]:
        wrong = f"exit statuses {ends}"
    print(wrong or "and so the script ends")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
