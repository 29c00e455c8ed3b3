#!/usr/bin/python3
"""kill -9 of a durable server, again and again, under 8 clients that put and take.

Every client is a process with a session of its own. What it is told goes to its own log, a
line at a time, before it goes on: p N (a put was answered), t N (a take was answered). In the end,
with what is left in the space: everything that was put is there once, nothing twice, nothing
that was never asked for. 10 kills, or 100 with SOAK.
"""
import os
import random
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness
import tilia

KILLS = 100 if os.environ.get("SOAK") else 10
CLIENTS = 8

CLIENT = """
import os, sys, tilia
me, path, stop = int(sys.argv[1]), sys.argv[2], sys.argv[3]
space = tilia.space()
log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
i = 0
while not os.path.exists(stop):
    n = me * 10000000 + i
    i += 1
    if i % 7 == 0:
        space.outs([["job", n], ["job", n + 5000000]])
        os.write(log, b"p %d\\np %d\\n" % (n, n + 5000000))
    else:
        space.out("job", n)
        os.write(log, b"p %d\\n" % n)
    if i % 11 == 0:
        space.rdp("job", int)
    for row in [space.inp("job", int)] if i % 5 else space.inp("job", int, max=3):
        if row:
            os.write(log, b"t %d\\n" % row[1])
"""


def client(k, address, folder, stop):
    env = dict(os.environ, TILIA=address, PYTHONPATH=os.path.join(harness.ROOT, "libclient", "python"))
    return harness.start([sys.executable, "-c", CLIENT, str(k), os.path.join(folder, "log%d" % k), stop], env=env,
                         stderr=open(os.path.join(folder, "err%d" % k), "wb"))


def lines(folder):
    """All that the clients were told: (what, number)."""
    for k in range(CLIENTS):
        path = os.path.join(folder, "log%d" % k)
        if os.path.exists(path):
            with open(path) as file:
                for line in file:
                    what, n = line.split()
                    yield what, int(n)


def size(folder):
    return sum(os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder) if name.startswith("log"))


def test_kill9():
    r = random.Random(harness.SEED)
    folder = harness.folder()
    store, stop = os.path.join(folder, "kill9.db"), os.path.join(folder, "stop")
    server = harness.tiliad("--store", store)
    clients = [client(k, server.address, folder, stop) for k in range(CLIENTS)]
    harness.until(lambda: all(os.path.exists(os.path.join(folder, "log%d" % k)) for k in range(CLIENTS)),
                  "all clients are connected", 60)
    for kill in range(KILLS):
        before = size(folder)
        harness.until(lambda: size(folder) > before + 2000, "the clients go on (kill %d)" % kill, 60)
        time.sleep(r.random() * .1)
        server.kill()
        server.wait()
        os.unlink(server.sock)
        server = harness.tiliad("--store", store, sock=server.sock)
        for k, process in enumerate(clients):
            if process.poll() is not None:
                with open(os.path.join(folder, "err%d" % k)) as file:
                    raise AssertionError("client %d ended: %s" % (k, file.read()))
    open(stop, "w").close()
    for k, process in enumerate(clients):
        assert process.wait(60) == 0, open(os.path.join(folder, "err%d" % k)).read()
    put, taken = [], []
    for what, n in lines(folder):
        (put if what == "p" else taken).append(n)
    space = tilia.space(address=server.address)
    left, last = [], 0
    while True:
        rows = space.rdp(template=None, max=1024, after=last)
        if not rows:
            break
        left += [row[1] for row in rows]
        last = rows[-1].id
    assert space.count() == len(left)
    space.close()
    assert len(put) == len(set(put))
    assert len(taken) == len(set(taken)), "taken twice: %s" % [n for n in taken if taken.count(n) > 1][:5]
    assert len(left) == len(set(left)), "in the space twice"
    assert not set(taken) & set(left), "taken and still there: %s" % sorted(set(taken) & set(left))[:5]
    gone = set(put) - set(taken) - set(left)
    assert not gone, "lost: %s" % sorted(gone)[:5]
    never = (set(taken) | set(left)) - set(put)
    assert not never, "never put: %s" % sorted(never)[:5]
    assert len(taken) > 10 * KILLS, len(taken)
    print("# %d kills, %d put, %d taken, %d left" % (KILLS, len(put), len(taken), len(left)))


harness.main()
