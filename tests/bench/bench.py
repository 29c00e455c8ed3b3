#!/usr/bin/env python3
"""make bench: what Tilia costs on this machine, as tables of medians.

    bench.py [--build DIR] [--quick] [--only PART,...] [--json FILE]

Each part starts servers of its own in a temporary folder. Ratios hold within one run;
figures of two machines, or of a machine that was busy, are not to be compared.
"""
import argparse
import itertools
import json
import os
import platform
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]

parser = argparse.ArgumentParser(description="measures what Tilia costs on this machine")
parser.add_argument("--build", default=os.path.join(HERE, "..", "..", "build"))
parser.add_argument("--quick", action="store_true", help="shorter rounds: about a minute")
parser.add_argument("--seconds", type=float, help="of a round, instead of 2 (0.4 with --quick)")
parser.add_argument("--only", default="", help="parts: keys,scale,rate,memory,peers,restart,output")
parser.add_argument("--peers", action="store_true", help="memory beside Redis, beanstalkd and memcached")
parser.add_argument("--json", help="write every round there")
args = parser.parse_args()
os.environ["BUILD"] = os.path.abspath(args.build)

import harness
import peers
from report import Report, middle
from wire import ANY, Wire, descriptors, formal, resident

ROUNDS = 3
MANY, FEW = 1000000, 1000
CONNECTIONS = 10000
SECONDS = args.seconds or (0.4 if args.quick else 2.0)
FIELDS = 5  # of the tuples of keys.c
report = Report()
turns = []  # (what was done, microseconds of the longest turn of the server's loop)


def tool(name, *argv):
    """Runs a load generator and answers what it printed."""
    p = subprocess.run([os.path.join(harness.BUILD, "tests", "bench", name), *map(str, argv)],
                       stdout=subprocess.PIPE, timeout=600, check=True)
    return json.loads(p.stdout)


def server_cpu(server):
    """Seconds of CPU of the server's loop thread."""
    with open("/proc/%d/task/%d/schedstat" % (server.pid, server.pid)) as f:
        return int(f.read().split()[0]) / 1e9


def stop(server):
    server.send_signal(signal.SIGTERM)
    if server.wait(60) != 0:
        raise AssertionError("tiliad ended with %d" % server.returncode)


def longest_turn(server):
    """Microseconds of CPU of the longest turn since this was asked before."""
    def seen():
        with open(server.sock + ".log") as f:
            return re.findall(r"msg=status.*longest_turn_us=(\d+)", f.read())
    had = len(seen())
    server.send_signal(signal.SIGUSR1)
    harness.until(lambda: len(seen()) > had, "the status line")
    return int(seen()[-1])


def note_turn(name, server):
    turns.append((name, longest_turn(server)))


# ---- keys: one tuple of a million, the first use of a shape, the longest turn ----

def key_field(i, field):
    """What keys.c has in that field of its tuple i."""
    return (1 << 24) + (i, i // 1000, i % 1000, None, MANY - 1 - i)[field]


def fresh_shapes():
    """Templates for tuple 12345, each of a shape that nobody used yet."""
    used = ({0}, {4}, {1, 2}, set())
    for pad, last in itertools.product((ANY, formal("bytes")), (ANY, formal("int"))):
        for size in (1, 2, 3, 4):
            for bound in itertools.combinations((0, 1, 2, 4), size):
                if (set(bound) in used or 4 in bound) and (pad, last) != (ANY, ANY):
                    continue
                if set(bound) in used:
                    continue
                yield [key_field(12345, i) if i in bound else pad if i == 3 else last if i == 4 else ANY
                       for i in range(FIELDS)]


def first_use(conn, template):
    """Seconds that the first `rd` of a shape waits."""
    started = time.perf_counter()
    reply = conn.ask("rd", "big", template)
    assert reply[0] == 0 and len(reply[1]) == 1, reply
    return time.perf_counter() - started


def probe_start(server, seconds):
    return subprocess.Popen([harness.TILIA, "bench", "-c", "8", "-p", "1", "--pairs", "--no-session",
                             "--time", "%dms" % (seconds * 1000), "--space", "big",
                             "--connect", server.address], stdout=subprocess.PIPE, text=True)


def probe_end(p):
    """(operations/s, p50, p99, longest) of the operations of eight connections; ms."""
    out = p.communicate(timeout=120)[0]
    m = re.search(r"([\d.]+) operations/s, p50 ([\d.]+) ms, p99 ([\d.]+) ms, longest ([\d.]+) ms", out)
    return tuple(map(float, m.groups()))


def make_space(count, *options):
    """A server whose space "big" has so many tuples, a connection to it, and tuples put a second."""
    server = harness.tiliad(*options)
    conn = Wire(server.address)
    assert conn.ask("space", "create", "big")[0] == 0
    filled = tool("keys", server.address, "big", count, "fill")
    return server, conn, count / filled["seconds"]


def measure_keys(few, many):
    names = {"first": "first field", "last": "last field", "middle": "two middle fields",
             "least": "the least from a value on"}
    for server, count in ((few, FEW), (many, MANY)):
        for bound in names:
            tool("keys", server.address, "big", count, bound, 1, 0.01)
    note_turn("build of the first four indexes of 1M", many)
    for depth, (bound, name) in itertools.product((1, 16), names.items()):
        wall, cpu = {FEW: [], MANY: []}, {FEW: [], MANY: []}
        for _ in range(ROUNDS):
            for server, count in ((few, FEW), (many, MANY)):
                before = server_cpu(server)
                r = tool("keys", server.address, "big", count, bound, depth, SECONDS)
                wall[count].append(r["seconds"] / (r["requests"] / 2) * 1e6)
                cpu[count].append((server_cpu(server) - before) / (r["requests"] / 2) * 1e6)
        for what, us in (("us a pair", wall), ("us of server CPU a pair", cpu)):
            report.row("%s, %d on the way, %s" % (name, depth, what), us[FEW], us[MANY],
                       middle(us[MANY]) / middle(us[FEW]))
    note_turn("takes by key", many)


def measure_first_use(server, conn):
    shapes = fresh_shapes()
    waits, cpu = [], []
    for _ in range(ROUNDS):
        before = server_cpu(server)
        waits.append(first_use(conn, next(shapes)) * 1000)
        cpu.append((server_cpu(server) - before) * 1000)
    report.row("build, server CPU (ms)", cpu, "", "")
    beside, quiet, busy = [], [], []
    for _ in range(ROUNDS):
        quiet.append(probe_end(probe_start(server, SECONDS)))
        probe = probe_start(server, SECONDS)
        while probe.poll() is None:
            beside.append(first_use(conn, next(shapes)) * 1000)
        busy.append(probe_end(probe))
    report.row("wait of the asker (ms)", waits, beside, middle(beside) / middle(waits))
    for i, name in ((1, "p50 of 8 other connections (ms)"), (2, "p99 of 8 other connections (ms)"),
                    (3, "longest of 8 other connections (ms)"), (0, "their operations/s")):
        q, b = [r[i] for r in quiet], [r[i] for r in busy]
        report.row(name, q, b, middle(b) / middle(q))


def drop_all(server, conn):
    """Milliseconds until the drop is answered, and until all of it is given back."""
    started = time.perf_counter()
    assert conn.ask("space", "drop", "big")[0] == 0
    answered = time.perf_counter() - started
    harness.until(lambda: (lambda s: s["tuples"] + s["indexes"])(conn.ask("stats")[1]) == 0,
                  "everything is freed", 60)
    return answered * 1000, (time.perf_counter() - started) * 1000


def part_keys():
    report.section("in by key, out puts it back: 1,000,000 distinct tuples against 1,000", "1k", "1M", "1M/1k")
    few, _, _ = make_space(FEW)
    many, conn, rate = make_space(MANY)
    note_turn("outs of 1,000 to 1M: %.0f tuples/s" % rate, many)
    measure_keys(few, many)
    stop(few)
    report.section("first use of a shape at 1,000,000 tuples", "quiet", "building", "ratio")
    measure_first_use(many, conn)
    note_turn("builds beside other operations", many)
    note_turn("drop of 1M with its indexes: answered in %.1f ms, freed in %.0f" % drop_all(many, conn), many)
    stop(many)
    count = MANY // 5 if args.quick else MANY
    many, conn, rate = make_space(count, "--store", os.path.join(harness.folder(), "drop.db"))
    note_turn("outs of 1,000 to %d, durable: %.0f tuples/s" % (count, rate), many)
    note_turn("drop of %d, durable: answered in %.1f ms, freed in %.0f" % ((count,) + drop_all(many, conn)), many)
    stop(many)


# ---- scale: the same operation in spaces of other sizes ----

SCALE = (("claim", "claim by key, commit and out"), ("oldest", "in of the oldest, out"),
         ("held", "in of the oldest behind 100,000 claims, out"),
         ("others", "in by key, out; 100,000 wait in 200 other shapes"),
         ("same", "out to one of 100,000 waiters of its shape"),
         ("min", "in of the least, out of a random one")) # last: the keys are others behind it


def operation(server, count, mode, depth):
    """Microseconds an operation takes, and of the server's CPU."""
    before = server_cpu(server)
    r = tool("scale", server.address, "big", count, mode, depth, SECONDS)
    return r["seconds"] / r["operations"] * 1e6, (server_cpu(server) - before) / r["operations"] * 1e6


def part_scale():
    sizes = (1000, 100000, 1000000) + (() if args.quick else (5000000,))
    names = ["{:,}".format(size) for size in sizes]
    report.section("us of an operation in a space of so many tuples (keys at random)", *names, "last/first")
    servers = [make_space(size)[0] for size in sizes]
    for server, size in zip(servers, sizes):
        tool("keys", server.address, "big", size, "first", 1, 0.01)
        for mode in ("claim", "oldest"):
            tool("scale", server.address, "big", size, mode, 1, 0.01)
    for (mode, name), depth in itertools.product(SCALE, (1, 16)):
        rounds = [[operation(server, size, mode, depth) for server, size in zip(servers, sizes)]
                  for _ in range(1 if mode == "held" else ROUNDS)] # each would claim 100,000 more
        wall = [[r[i][0] for r in rounds] for i in range(len(sizes))]
        report.row("%s; %d on the way" % (name, depth), *wall, middle(wall[-1]) / middle(wall[0]))
        for server, size in zip(servers, sizes):
            note_turn("%s, %s tuples" % (name, "{:,}".format(size)), server)
    for server in servers:
        stop(server)


# ---- rate: put, put and take ----

def sync_rate(folder):
    """fdatasync of a 4 KiB append, a second: what a durable put by itself cannot beat."""
    fd = os.open(os.path.join(folder, "sync"), os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    started, n = time.perf_counter(), 0
    while time.perf_counter() - started < min(SECONDS, 1):
        os.write(fd, bytes(4096))
        os.fdatasync(fd)
        n += 1
    os.close(fd)
    return n / (time.perf_counter() - started)


def rate(durable, what, connections, depth):
    """Operations a second; a pair is one."""
    folder = tempfile.mkdtemp(dir=harness.folder())
    server = harness.tiliad(*(("--store", os.path.join(folder, "s.db")) if durable else ("--volatile",)))
    r = tool("load", server.address, what, connections, depth, SECONDS)
    note_turn("%s (%d,%d), %s" % (what, connections, depth, "durable" if durable else "volatile"), server)
    server.kill()  # a clean end of millions of tuples is not what is measured
    server.wait()
    shutil.rmtree(folder)
    return r["requests"] / r["seconds"] / (2 if what == "pair" else 1)


def part_rate():
    report.section("operations a second (connections, on the way in each); a pair is one", "volatile", "durable",
                   "dur./vol.")
    for what, connections, depth in itertools.product(("put", "pair"), (1, 50), (1, 16)):
        if (connections, depth) == (1, 16):
            continue
        rounds = [(rate(False, what, connections, depth), rate(True, what, connections, depth))
                  for _ in range(ROUNDS)]
        volatile, durable = [r[0] for r in rounds], [r[1] for r in rounds]
        report.row("%s (%d,%d)" % ({"put": "out", "pair": "out+in"}[what], connections, depth), volatile, durable,
                   middle(durable) / middle(volatile))
    report.row("fdatasync of a 4 KiB append", "", [sync_rate(harness.folder()) for _ in range(ROUNDS)], "")


# ---- memory ----

def tuple_memory():
    """Bytes a tuple of 64 bytes: by itself, and with one index."""
    server = harness.tiliad()
    conn = Wire(server.address)
    conn.ask("ping")
    before = resident(server.pid)
    tool("keys", server.address, "main", MANY, "fill")
    alone = resident(server.pid)
    tool("keys", server.address, "main", MANY, "first", 1, 0.01)
    indexed = resident(server.pid)
    stop(server)
    return (alone - before) / MANY, (indexed - before) / MANY


def connection_memory(count):
    """Bytes a connection: idle, and with a blocked `in`; and seconds until all are served."""
    server = harness.tiliad()
    main = Wire(server.address)
    main.ask("ping")
    before = resident(server.pid)
    conns = [Wire(server.address) for _ in range(count)]
    harness.until(lambda: main.ask("stats")[1]["connections"] == count + 1, "all are connected", 60)
    idle = resident(server.pid)
    for c in conns:
        c.send("in", "main", ["job", ANY])
    harness.until(lambda: main.ask("stats")[1]["waiting"] == count, "all wait", 60)
    waiting = resident(server.pid)
    started = time.perf_counter()
    for first in range(0, count, 1000):
        main.send("outs", "main", [["job", i] for i in range(first, min(first + 1000, count))])
    served = {c.receive()[2][0][1][1] for c in conns}
    seconds = time.perf_counter() - started
    note_turn("%d connections wait and are served" % count, server)
    for c in conns:
        c.close()
    main.close()
    stop(server)
    return (idle - before) / count, (waiting - before) / count, seconds, len(served)


def part_memory():
    report.section("memory of the server", "bytes")
    rounds = [tuple_memory() for _ in range(ROUNDS)]
    report.row("a tuple of 64 bytes", [r[0] for r in rounds])
    report.row("a tuple of 64 bytes in one index", [r[1] for r in rounds])
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    count = CONNECTIONS if descriptors(CONNECTIONS + 100) else hard - 100
    rounds = [connection_memory(count) for _ in range(ROUNDS)]
    report.row("an idle connection, of %d" % count, [r[0] for r in rounds])
    report.row("a connection with a blocked in, of %d" % count, [r[1] for r in rounds])
    report.row("of them served when tuples come", [r[3] for r in rounds])
    report.row("ms until the last is served", [r[2] * 1000 for r in rounds])


# ---- peers: what a stored item costs elsewhere ----

def part_peers():
    for count in (100000,) if args.quick else (1000000, 5000000):
        report.section("bytes of memory an item of 64 bytes, of {:,}, distinct texts".format(count), "filled",
                       "refilled")
        for kind in (peers.Tilia,) + (peers.PEERS if args.peers else ()):
            if kind.there():
                rounds = [peers.measure(kind, count) for _ in range(1 if count > 1000000 else ROUNDS)]
                report.row(kind.name, [r[0] for r in rounds], [r[1] for r in rounds])
            else:
                report.note("%s is not installed" % kind.program)
    report.note("refilled: half was taken at random by key (the list's: from its head), as many others put")


# ---- restart: after kill -9, all items checked ----

def part_restart():
    kinds = (peers.TiliaStore,) + ((peers.RedisLogged, peers.RedisSaved) if args.peers else ())
    counts = (100000,) if args.quick else (1000000, 5000000)
    report.section("seconds from start to the first answer after kill -9, distinct texts",
                   *("{:,}".format(count) for count in counts))
    for kind in kinds:
        if kind.there():
            report.row(kind.name, *([peers.restart(kind, count) for _ in range(1 if count > 1000000 else ROUNDS)]
                                    for count in counts))


# ---- output: flooding workers beside one that works ----

FLOOD = """\
import sys, time, tilia
space, flood, seconds = tilia.space(), sys.argv[1] == "flood", float(sys.argv[2])
if tilia.rank < 2:
    space.out("started", tilia.rank)
    end, line = time.monotonic() + seconds + 0.3, "x" * 99 + "\\n"
    while time.monotonic() < end:
        if flood:
            sys.stdout.write(line * 100)
        else:
            time.sleep(0.01)
else:
    for rank in (0, 1):
        space.in_("started", rank)
    took, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        started = time.perf_counter()
        space.out("mine", 1)
        middle = time.perf_counter()
        space.in_("mine", int)
        took += [middle - started, time.perf_counter() - middle]
    took.sort()
    space.out("took", len(took), took[len(took) // 2], took[len(took) * 99 // 100], took[-1])
"""


def run_workers(server, script, kind):
    """(p50 ms, p99 ms, longest ms, operations/s, MB of output a second)."""
    p = subprocess.Popen([harness.TILIA, "run", "--connect", server.address, "--on", "3/local", script, kind,
                          str(SECONDS)], stdout=subprocess.PIPE)
    size = [0]

    def drain():
        for data in iter(lambda: p.stdout.read1(1 << 20), b""):
            size[0] += len(data)
    reader = threading.Thread(target=drain)
    reader.start()
    if p.wait(120) != 0:
        raise AssertionError("tilia run ended with %d" % p.returncode)
    reader.join()
    conn = Wire(server.address)
    _, count, p50, p99, longest = conn.ask("in", "main", ["took", ANY, ANY, ANY, ANY], {"timeout": 0})[1][0][1]
    conn.close()
    return p50 * 1000, p99 * 1000, longest * 1000, count / SECONDS, size[0] / 1e6 / SECONDS


def part_output():
    report.section("tilia run: two workers flood stdout, a third one's operations", "quiet", "flooding", "ratio")
    script = os.path.join(harness.folder(), "flood.py")
    with open(script, "w") as f:
        f.write(FLOOD)
    server = harness.tiliad()
    rounds = [(run_workers(server, script, "quiet"), run_workers(server, script, "flood")) for _ in range(ROUNDS)]
    stop(server)
    for i, name in enumerate(("p50 (ms)", "p99 (ms)", "longest (ms)", "operations/s")):
        quiet, flood = [r[0][i] for r in rounds], [r[1][i] for r in rounds]
        report.row(name, quiet, flood, middle(flood) / middle(quiet))
    report.row("output (MB/s)", "", [r[1][4] for r in rounds], "")


def main():
    parts = {"keys": part_keys, "scale": part_scale, "rate": part_rate, "memory": part_memory,
             "peers": part_peers, "restart": part_restart, "output": part_output}
    wanted = args.only.split(",") if args.only else list(parts)
    about = {"machine": platform.platform(), "cpus": os.cpu_count(), "when": time.strftime("%Y-%m-%d %H:%M"),
             "load": os.getloadavg()[0], "quick": args.quick}
    print("Tilia on %(machine)s, %(cpus)d CPUs, %(when)s, load %(load).1f at the start;" % about)
    print("medians of %d rounds of %.1f s; ratios hold within this run only" % (ROUNDS, SECONDS))
    started = time.monotonic()
    for name in wanted:
        parts[name]()
    report.section("longest turn of the server's loop, its thread's CPU time", "us")
    for name in dict.fromkeys(name for name, _ in turns):
        report.row(name, max(us for one, us in turns if one == name))
    report.note("%.0f s" % (time.monotonic() - started))
    if args.json:
        report.save(args.json, **about)


main()
