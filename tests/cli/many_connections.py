"""10,000 connections at once, each with a blocked `in`: memory of each, and all are served."""
import os
import resource
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness
from wire import ANY, Wire, descriptors, resident

COUNT = 10000


def test_10000_connections_idle_then_waiting_then_served():
    count = COUNT
    if not descriptors(count + 100):
        count = resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 100
        print("# the hard limit of descriptors allows %d connections only" % count)
        assert count > 500 and descriptors(count + 100)
    server = harness.tiliad()
    main = Wire(server.address)
    main.ask("ping")
    before = resident(server.pid)
    conns = [Wire(server.address) for _ in range(count)]
    harness.until(lambda: main.ask("stats")[1]["connections"] == count + 1, "all are connected")
    idle = resident(server.pid)
    for i, c in enumerate(conns):
        c.send("in", "main", ["job", ANY])
    harness.until(lambda: main.ask("stats")[1]["waiting"] == count, "all wait")
    waiting = resident(server.pid)
    print("# bytes a connection: idle %d, with a blocked in %d" %
          ((idle - before) / count, (waiting - before) / count))
    assert (idle - before) / count < 2048
    started = time.monotonic()
    for i in range(count):
        main.send("out", "main", ["job", i])
    for _ in range(count):
        assert main.receive()[1] == 0
    for i, c in enumerate(conns):  # who waited longest is served first
        assert c.receive()[2][0][1] == ["job", i]
    print("# all served in %.2f s" % (time.monotonic() - started))
    for c in conns:
        c.close()
    harness.until(lambda: main.ask("stats")[1]["connections"] == 1, "all are gone", 60)
    server.send_signal(signal.SIGTERM)
    assert server.wait(20) == 0


harness.main()
