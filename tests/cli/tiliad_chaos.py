"""Clients that put, take, acknowledge, fall silent and vanish in the middle of a frame, on one
durable space: in the end every tuple is accounted for, once."""
import os
import random
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness
from wire import ANY, Wire, frame

SECONDS = 60 if os.environ.get("SOAK") else 4


class Client(threading.Thread):
    """Lives several lives, each a session that ends well or badly."""

    def __init__(self, server, name, end):
        super().__init__()
        self.server, self.id, self.end = server, name, end
        self.random = random.Random(harness.SEED * 100 + name)
        self.put, self.maybe_put, self.taken = set(), set(), []
        self.error, self.count = None, 0

    def run(self):
        try:
            while time.monotonic() < self.end:
                self.live()
        except BaseException as error:
            self.error = error

    def live(self):
        c = Wire(self.server.address)
        assert c.ask("hello", {"v": 1, "session": "new"})[0] == 0
        sent, unacknowledged = {}, []
        for _ in range(self.random.randrange(1, 30)):
            for _ in range(self.random.randrange(1, 12)):
                if self.random.random() < 0.5:
                    self.count += 1
                    key = self.id * 1000000 + self.count
                    sent[c.send("out", "main", ["job", key, "x" * self.random.randrange(200)])] = key
                    self.maybe_put.add(key)
                else:
                    sent[c.send("in", "main", ["job", ANY, ANY], {"timeout": 0})] = None
            if self.random.random() < 0.1:
                break  # vanishes with requests unanswered
            while sent:
                n, code, result = c.receive()
                assert code == 0, (n, code, result)
                key = sent.pop(n)
                if key is not None:
                    self.maybe_put.remove(key)
                    self.put.add(key)
                elif result:
                    unacknowledged.append((n, result[0][1][1]))
            if unacknowledged and self.random.random() < 0.7:
                c.raw(frame(0, "ack", *(n for n, _ in unacknowledged)))
                assert c.ask("ping") == [0, None]
                self.taken += [key for _, key in unacknowledged]
                unacknowledged = []
        how = self.random.random()
        if how < 0.3 and not sent:
            assert c.ask("bye") == [0, None]
            self.taken += [key for _, key in unacknowledged]
        elif how < 0.6:
            c.raw(frame(c.number + 1, "out", "main", ["never whole"])[:-3])
        c.close()


def test_every_tuple_is_accounted_for():
    server = harness.tiliad("--store", os.path.join(harness.folder(), "chaos.db"), "--grace", "50ms")
    clients = [Client(server, i, time.monotonic() + SECONDS) for i in range(6)]
    for c in clients:
        c.start()
    for c in clients:
        c.join()
    for c in clients:
        if c.error:
            raise c.error
    w = Wire(server.address)
    harness.until(lambda: w.ask("stats")[1]["sessions"] == 0, "the graces are over")
    left = []
    while True:
        got = w.ask("in", "main", None, {"timeout": 0, "max": 1000})[1]
        if not got:
            break
        left += [t[1][1] for t in got]
    put = set().union(*(c.put for c in clients))
    maybe = set().union(*(c.maybe_put for c in clients))
    seen = left + [key for c in clients for key in c.taken]
    print("# %d put, %d in doubt, %d taken, %d left" % (len(put), len(maybe), len(seen) - len(left), len(left)))
    assert len(seen) == len(set(seen)), "twice: %s" % sorted(k for k in seen if seen.count(k) > 1)[:9]
    assert put <= set(seen), "lost: %s" % sorted(put - set(seen))[:9]
    assert set(seen) <= put | maybe, "from nowhere: %s" % sorted(set(seen) - put - maybe)[:9]
    server.send_signal(signal.SIGTERM)
    assert server.wait(20) == 0


harness.main()
