# SPDX-License-Identifier: Apache-2.0
"""More than it can take: nothing is lost but what is counted, and memory stays bounded."""

import signal
import time

from faults import (LONG, SECONDS, Reader, Watch, check, cpu_seconds, equal, fault, lost,
                    memory, number, only_losses, program, settled)

PAUSE = 10 if LONG else 4  # seconds for which the tool or its reader does nothing


def said(made, printed, gone):
    equal(printed + gone, made, "printed %d + lost %d, of made" % (printed, gone))
    return "%s made = %s printed + %s lost" % (number(made), number(printed), number(gone))


def flat(first, last):
    """
    Memory in the first and the last third of a storm. Each time that the tool is late to get a
    CPU, a queue may double, up to what a buffer of 4 MB holds: within seconds that may come
    early or late, and Watch.stop() holds it against the sum. In ten minutes it has long come.
    """
    check(not LONG or last <= first * 1.25 + 2, "memory grew from %.1f to %.1f MB" % (first, last))


@fault("storm of connects and DNS answers, %g s" % SECONDS,
       "printed + lost = made; memory flat")
def storm(scene):
    wind = program(scene, "storm", SECONDS, 7071)
    flood = program(scene, "flood", 0, 0, SECONDS)
    reader = Reader(scene, "-d", "-p", wind.pid)
    reader.read_on()
    flood.start()
    wind.start()
    watch = Watch(reader.tool)
    made = int(wind.result(SECONDS + 30))
    first, last = watch.stop()
    answers = int(flood.result(SECONDS + 30).split()[0])
    settled(reader.tool)
    reader.tool.stop()
    only_losses(reader.tool)
    flat(first, last)
    return "%s; beside %s answers, of which %s lost; %.1f MB in the first third, %.1f MB in the " \
           "last" % (said(made, reader.lines(), lost(reader.tool)), number(answers),
                     number(lost(reader.tool, "DNS answers")), first, last)


@fault("stopped (SIGSTOP) for %d s under a storm" % PAUSE, "printed + lost = made; order kept")
def stopped(scene):
    wind = program(scene, "storm", PAUSE + 1, 7071)
    tool = scene.tool("-t", "-p", wind.pid)
    wind.start()
    time.sleep(0.5)
    tool.send(signal.SIGSTOP)
    time.sleep(PAUSE)
    tool.send(signal.SIGCONT)
    made = int(wind.result())
    tool.stop()
    only_losses(tool)
    times = [float(line.split(None, 1)[0]) for line in tool.lines()]
    backwards = sum(b < a for a, b in zip(times, times[1:]))
    equal(backwards, 0, "lines out of order")
    check(lost(tool) > 0, "nothing was lost: the storm was none")
    return said(made, len(times), lost(tool)) + ", in order"


@fault("reader of standard output stalls for %d s under a storm" % PAUSE,
       "printed + lost = made; memory bounded")
def reader_stalls(scene):
    wind = program(scene, "storm", PAUSE, 7071)
    reader = Reader(scene, "-p", wind.pid)
    before = memory(reader.tool, "VmHWM")
    wind.start()
    made = int(wind.result())
    peak = memory(reader.tool, "VmHWM")
    reader.read_on()
    settled(reader.tool)
    reader.tool.stop()
    only_losses(reader.tool)
    check(peak < 40, "%.1f MB" % peak)
    return "%s; peak memory %.1f MB before, %.1f MB after" % (
        said(made, reader.lines(), lost(reader.tool)), before, peak)


@fault("perf buffer of one page (`--pages 1`) under a storm", "printed + lost = made")
def one_page(scene):
    wind = program(scene, "storm", 2, 7071)
    tool = scene.tool("--pages", "1", "-p", wind.pid)
    made = int(wind.run())
    tool.stop()
    only_losses(tool)
    check(lost(tool) > 0, "a page was enough: nothing is shown by this")
    return said(made, len(tool.lines()), lost(tool))


@fault("flood of answers with as many distinct names, at full speed, %g s" % SECONDS,
       "memory bounded, no CPU above the flood's own share")
def flood_of_names(scene):
    flood = program(scene, "flood", 0, 0, SECONDS)
    client = scene.client()
    tool = scene.tool("-d", "-p", client.pid)
    flood.start()
    watch = Watch(tool)
    sent, seconds, spent = map(float, flood.result(SECONDS + 30).split())
    first, last = watch.stop()
    settled(tool)
    own = cpu_seconds(tool)
    client.run("127.0.0.1", 80)
    tool.stop()
    only_losses(tool)
    equal([row.query for row in tool.rows()], ["localhost"], "QUERY of a connect afterwards")
    flat(first, last)
    check(own <= spent, "the tool took %.2f s of processor time, the flood %.2f s" % (own, spent))
    return "%s names a second; %.1f MB in the first third, %.1f MB in the last; processor time " \
           "%.2f s, the flood's own %.2f s; %s answers lost, and told" % (
               number(int(sent / seconds)), first, last, own, spent,
               number(lost(tool, "DNS answers")))


@fault("the same, in bursts of 2,500, while one name is in use and one is not",
       "the used name survives, the unused one goes with the 10,240th")
def flood_and_use(scene):
    client = scene.client()
    told = program(scene, "flood", 1, 2, 20)  # n00000001 and n00000002: 11.0.0.1 and 11.0.0.2
    scene.home.ip("route", "add", "local", "11.0.0.0/8", "dev", "lo")
    bursts = [program(scene, "flood", 10000 + n * 2500, 2500, 20) for n in range(12)]
    tool = scene.tool("-d", "-p", client.pid)
    told.run()
    time.sleep(0.2)
    for burst in bursts:
        burst.run()
        time.sleep(0.2)  # its turn comes before that of the next connect
        client.run("11.0.0.1", 80)
    client.run("11.0.0.2", 80)
    rows = tool.finish()
    names = [row.query.split(" ")[0] for row in rows]
    equal(set(names[:-1]), {"n00000001.flood.test"}, "name in use")
    equal(rows[-1].query, "No DNS Query", "name not in use, 30,000 names later")
    return "named %d of %d times while 30,000 other names came; the unused one forgotten" % (
        len(names) - 1, len(bursts))
