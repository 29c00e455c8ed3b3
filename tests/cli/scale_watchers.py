#!/usr/bin/python3
"""Watchers of a real server: one that is slow costs nobody anything, and many are told alike."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness  # noqa: E402
from wire import Wire  # noqa: E402


def memory(server):
    with open("/proc/%d/status" % server.pid) as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def test_a_watcher_that_is_slow():
    server = harness.tiliad()
    slow, quick, main = Wire(server.address), Wire(server.address), Wire(server.address)
    for c in slow, quick:
        c.send("watch", "main", None)
        assert c.ask("ping") == [0, None]
    events = 0
    before = None
    for n in range(200):  # 40 MB of events
        tuples = [[n, i, "x" * 1000] for i in range(100)]
        assert main.ask("outs", "main", tuples)[0] == 0
        assert len(main.ask("in", "main", None, {"max": 100})[1]) == 100
        for _ in range(200):
            number, code, (kind, cursor, _, fields) = quick.receive()
            events += 1
            assert (number, code) == (1, 1) and fields[:2] == [n, (events - 1) % 100], fields[:2]
            assert kind == ("put" if (events - 1) % 200 < 100 else "take")
            assert events == 1 or cursor == last + 1
            last = cursor
        if n == 20:
            before = memory(server)
    assert memory(server) - before < 8000, (before, memory(server))
    # The slow one: what was on its way, then one gap, then what happens now.
    told, expected = [], None
    while not told or told[-1][0] != "gap":
        told.append(slow.receive()[2])
        assert told[-1][0] == "gap" or expected in (None, told[-1][1]), told[-1]
        expected = told[-1][1] + 1
    assert len(told) < 5000 and told[-1][1:] == [last, 0, None], (len(told), told[-1], last)
    assert main.ask("out", "main", ["now"])[0] == 0
    assert slow.receive()[2][3] == quick.receive()[2][3] == ["now"]
    assert main.ask("stats")[1]["watching"] == 2


def test_ten_thousand_watchers_are_told_in_one_order():
    server = harness.tiliad()
    main = Wire(server.address)
    clients = [Wire(server.address) for _ in range(10)]
    for c in clients:
        for n in range(1000):
            c.send("watch", "main", None if n % 2 else ["never"])
        assert c.ask("ping") == [0, None]
    assert main.ask("stats")[1]["watching"] == 10000
    main.ask("outs", "main", [[n] for n in range(3)])
    cursors = {}
    for c in clients:
        seen = {}
        for _ in range(1500):
            number, _, (kind, cursor, _, fields) = c.receive()
            assert kind == "put" and fields == [seen.get(number, 0)], (number, fields)
            assert cursors.setdefault(fields[0], cursor) == cursor
            seen[number] = fields[0] + 1
        assert set(seen.values()) == {3} and len(seen) == 500
        c.sock.close()
    harness.until(lambda: main.ask("stats")[1]["watching"] == 0, "nobody watches")


harness.main()
