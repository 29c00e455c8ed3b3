#!/usr/bin/python3
"""Clients die by kill -9 in the middle: what they had not acknowledged comes back, all else stands.
And the server is stopped for a while: nobody's session ends."""
import os
import signal
import sqlite3
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness  # noqa: E402
from fleet import Fleet  # noqa: E402
from wire import Wire  # noqa: E402

DEATHS = 300 if os.environ.get("SOAK") else 30
UNACKNOWLEDGED = 64 + 40  # takes that libtilia may have read and not acknowledged, at depth 40


def sessions_are_over(fleet):
    w = Wire(fleet.server.address)
    harness.until(lambda: w.ask("stats")[1]["sessions"] == 0, "the graces are over")
    w.close()


def test_what_a_killed_client_had_not_acknowledged_comes_back():
    fleet = Fleet("cCpCcp", "--grace", "200ms", seed=11)
    fleet.man()
    killed = []
    for _ in range(DEATHS):
        fleet.progress(each=200)
        time.sleep(fleet.random.random() * 0.02)
        victim = fleet.random.choice([i for i in range(len(fleet.clients)) if i not in killed])
        fleet.clients[victim].kill()
        fleet.clients[victim].wait(20)
        killed.append(victim)
        fleet.join(fleet.random.choice("cCp"))
    fleet.progress(each=200)
    for client in fleet.clients:
        if client.poll() is None:
            client.stdin.close()
            client.wait(60)
    sessions_are_over(fleet)
    ledger = fleet.end()
    again = set()
    for victim in killed:
        log = fleet.logs[victim]
        again.update(ledger.by_log[log][-(5 * UNACKNOWLEDGED if log.endswith("C") else 5):])
    twice = ledger.twice()
    print("# %d clients killed (seed %d): %s; %d came back after they were read" % (
        len(killed), fleet.seed, ledger, len(twice)))
    assert not ledger.lost() and not ledger.from_nowhere() and not ledger.misnamed(), ledger.faults()
    assert set(twice) <= again, sorted(set(twice) - again)[:9]
    assert ledger.wrong == [], ledger.wrong[:9]
    fleet.stop()


def test_a_take_that_comes_back_counts_as_a_try():
    fleet = Fleet("", "--grace", "100ms", seed=12)
    db = sqlite3.connect("file:%s?mode=ro" % fleet.store, uri=True)
    w = Wire(fleet.server.address)
    first = w.ask("out", "main", ["job"])[1]
    for tries in range(1, 4):
        taker = Wire(fleet.server.address)
        assert taker.ask("hello", {"v": 1, "session": "new"})[0] == 0
        assert taker.ask("in", "main", ["job"]) == [0, [[first, ["job"]]]]
        assert w.ask("count", "main", None) == [0, 0]
        taker.close()
        assert w.ask("rd", "main", ["job"]) == [0, [[first, ["job"]]]]  # waits for it
        assert db.execute("select id, tries from tuple").fetchall() == [(first, tries)]
    db.close()
    fleet.stop()


def test_a_server_that_is_stopped_ends_nobodys_session():
    fleet = Fleet("cCcC", "--grace", "2s", seed=13)
    away = Wire(fleet.server.address)
    session = away.ask("hello", {"v": 1, "session": "new"})[1]["session"]
    assert away.ask("out", "main", ["mine"])[0] == 0
    taken = away.ask("in", "main", ["mine"])
    n = away.number
    fleet.man()
    fleet.progress()
    away.close()
    fleet.server.send_signal(signal.SIGSTOP)
    time.sleep(4.5)  # more than the grace: what is tested is that this time does not count
    fleet.server.send_signal(signal.SIGCONT)
    back = Wire(fleet.server.address)
    reply = back.ask("hello", {"v": 1, "session": session})
    assert reply[0] == 0, reply
    back.number = n - 1
    assert back.ask("in", "main", ["mine"]) == taken
    assert back.ask("bye") == [0, None]
    fleet.progress()
    ledger = fleet.end()
    assert ledger.faults() == [] and ledger.wrong == [], (ledger.faults(), ledger.wrong[:9])
    fleet.stop()


harness.main()
