#!/usr/bin/python3
"""Connections break at any byte, bytes arrive late, and at last the server dies too: clients that
resume lose nothing and do nothing twice."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness  # noqa: E402
from bad_net import BadNet  # noqa: E402
from fleet import Fleet  # noqa: E402
from wire import Wire  # noqa: E402

BREAKS = 5000 if os.environ.get("SOAK") else 400


def survive(seed, deadly):
    fleet = Fleet("pcPCpcPC", seed=seed)
    net = BadNet(os.path.join(fleet.folder, "net"), fleet.sock, fleet.seed)
    net.good = True  # who is refused at first is told so: only a session is resumed
    fleet.man(net.address)
    fleet.progress()
    net.good = False
    began = time.monotonic()
    while sum(net.broken.values()) < BREAKS:
        fleet.running()
        if deadly:
            fleet.cycle()
        else:
            fleet.progress(each=20)
    net.good = True
    fleet.progress()
    ledger = fleet.end()
    print("# %s, %d kills in %.1f s (seed %d): %s" % (
        net.broken, fleet.kills, time.monotonic() - began, fleet.seed, ledger), flush=True)
    assert ledger.faults() == [], ledger.faults()
    assert ledger.wrong == [] and not ledger.doubt, (ledger.wrong[:9], sorted(ledger.doubt)[:9])
    assert set(ledger.ends.values()) == {0}, ledger.ends
    fleet.stop()


def test_broken_connections_lose_nothing_and_do_nothing_twice():
    survive(21, False)


def test_nor_does_a_server_that_dies_behind_them():
    survive(22, True)


def test_what_was_acknowledged_stays_when_sessions_end_too():
    """Graces shorter than the breaks: puts may be in doubt, takes may come back after their reply."""
    fleet = Fleet("cCcCcC", "--grace", "20ms", seed=23)
    net = BadNet(os.path.join(fleet.folder, "net"), fleet.sock, fleet.seed)
    net.good = True
    fleet.man(net.address)
    fleet.progress()
    net.good = False
    while sum(net.broken.values()) < BREAKS / 2:
        fleet.running()
        fleet.progress(each=20)
    net.good = True
    fleet.progress()
    for client in fleet.clients:
        client.stdin.close()
        assert client.wait(60) == 0
    w = Wire(fleet.server.address)
    harness.until(lambda: w.ask("stats")[1]["sessions"] == 0, "the graces are over")
    ledger = fleet.end()
    print("# %s (seed %d): %s; %d twice" % (net.broken, fleet.seed, ledger, len(ledger.twice())), flush=True)
    assert not ledger.lost() and not ledger.from_nowhere() and not ledger.misnamed(), ledger.faults()
    codes = {line.split()[-1] for line in ledger.wrong}
    assert codes <= {"-65", "-66", "-68"}, codes
    assert set(ledger.ends.values()) == {0}, ledger.ends
    for log in fleet.logs:
        with open(log + ".err") as f:
            assert f.read() == "", log
    fleet.stop()


harness.main()
