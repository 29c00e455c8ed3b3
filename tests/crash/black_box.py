#!/usr/bin/python3
"""A client written from docs/protocol.md alone, real servers, and all that can go wrong between them.

tiliad dies by kill -9, is stopped and goes on; connections are cut at any byte, stall, deliver late, or
are gone for one end only. Clients put, take, claim, commit, renew, cancel, do atomics, die, and resume.
Each request ends as ok, failed or unknown, and in the end it adds up. A seed that fails is run again by

    SEED=n SECONDS=s tests/crash/black_box.py it_adds_up_whatever_breaks
"""
import os
import random
import signal
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import cbor2  # noqa: E402
import harness  # noqa: E402
from bad_net import BadNet  # noqa: E402
from fleet import preload  # noqa: E402
from session import Session  # noqa: E402
from wire import ANY, Wire, formal  # noqa: E402

SECONDS = float(os.environ.get("SECONDS") or (120 if os.environ.get("SOAK") else 10))
CLIENTS = 6
GRACE = 4000        # ms: of sessions that nobody could learn of, too
LONG = 3600 * 1000  # of a lease: nobody holds a claim so long
SLACK = 0.005       # seconds: the protocol's times are whole milliseconds


class Net(BadNet):
    """Where a connection may also be gone for one end only."""

    KINDS = BadNet.KINDS + ("mute", "ghost")

    def mute(self, client, server, rng):
        """The server is told; the client is not, and what it sends goes nowhere."""
        server.close()
        client.settimeout(5)
        while client.recv(65536):
            pass

    def ghost(self, client, server, rng):
        """The client is told; the server is not, for a while."""
        client.close()
        time.sleep(rng.random() * 2)


class Put:
    """A key that was put, or may have been."""

    def __init__(self, ttl=None, delay=0):
        self.begun, self.done, self.id, self.state = time.monotonic(), None, None, "pending"
        self.ttl, self.delay, self.story = ttl, delay, []


class Books:
    """Of all clients together. A take is [key, id, whether it is sure]."""

    def __init__(self):
        self.puts, self.takes, self.tokens, self.faults = {}, [], {}, []
        self.sums = {"ok": 0, "unknown": 0}  # of the counter

    def fault(self, *words):
        self.faults.append(" ".join(map(str, words)))

    def seen(self, key, number, request):
        """A tuple came as the answer to a request."""
        put, now, asked = self.puts.get(key), time.monotonic(), request.sent
        if put:
            put.story.append((request.op, request.n, request.args[2:]))
        if put is None or put.state == "failed":
            return self.fault("nobody put", key, "but it was seen")
        if put.id not in (None, number):
            self.fault(key, "was put as", put.id, "and seen as", number)
        if now < put.begun + put.delay - SLACK:
            self.fault(key, "was seen before it was due")
        if put.ttl and put.done and asked > put.done + put.ttl + SLACK:
            self.fault(key, "was seen after it had expired")

    def claimed(self, key, token, tries):
        if token in self.tokens:
            self.fault("token", token, "was given twice")
        self.tokens[token] = key, tries

    def settle(self, left):
        """What the drained space had, (key, id) each: all faults, in the end."""
        times = {}
        for key, number, sure in self.takes + [(key, number, True) for key, number in left]:
            certain, maybe = times.get(key, (0, 0))
            times[key] = (certain + 1, maybe) if sure else (certain, maybe + 1)
        for key, (certain, _) in times.items():
            if certain > 1:
                self.fault(key, "was taken", certain, "times")
        for key, put in self.puts.items():
            if put.state == "pending":
                self.fault("the put of", key, "has no end")
            if put.state == "ok" and key not in times and not put.ttl:
                self.fault(key, "is lost:", put.story)
        last = {}
        for token, (key, tries) in sorted(self.tokens.items()):
            if tries <= last.get(key, 0):
                self.fault(key, "was claimed as try", tries, "after try", last[key])
            last[key] = tries
        return self.faults

    def __str__(self):
        states = [put.state for put in self.puts.values()]
        return "%d put, %d failed, %d unknown, %d taken, %d of them in doubt, %d claims, %d sums" % (
            states.count("ok"), states.count("failed"), states.count("unknown"), len(self.takes),
            sum(not sure for _, _, sure in self.takes), len(self.tokens), self.sums["ok"])


class Client(threading.Thread):
    """Asks for this and that, several things at once, until it is told to end."""

    def __init__(self, number, address, books, seed):
        super().__init__(daemon=True)
        self.number, self.books = number, books
        self.random = random.Random("%d %d" % (seed, number))
        self.session = Session(address, self.random, self.over, grace=300 if number % 3 == 0 else GRACE)
        self.mortal = number % 3 == 0
        self.key, self.last_id, self.last_sum, self.deaths = number * 10000000, 0, 0, 0
        self.claims = {}     # token: (key, id, whether its lease is long)
        self.open = []       # takes that are not answered
        self.taken = {}      # request: its entries in the books
        self.finish = threading.Event()
        self.error = None
        self.count = 0

    def run(self):
        try:
            while not self.finish.is_set():
                for _ in range(self.random.randrange(1, 5)):
                    self.something()
                self.session.step(0.02)
                if len(self.session.pending) > 40:
                    self.settle()
                if self.mortal and self.random.random() < 0.005:
                    self.deaths += 1
                    self.session.vanish()
            self.leave()
        except BaseException as error:
            self.error = error

    def ask(self, then, op, *args):
        self.count += 1
        return self.session.ask(op, *args, then=then)

    def something(self):
        if self.claims and self.random.random() < 0.3:
            return self.commit()
        self.random.choices((self.out, self.outs, self.take, self.claim, self.read, self.sum, self.move,
                             self.renew, self.cancel, self.once), (6, 1, 6, 4, 2, 2, 2, 1, 2, 1))[0]()

    # --- what it puts ---

    def new_key(self, **times):
        self.key += 1
        self.books.puts[self.key] = Put(**times)
        return self.key

    def fields(self, key, kind="job"):
        return [kind, key % 4, key, "x" * self.random.randrange(300)]

    def put_ended(self, key, request, number):
        put = self.books.puts[key]
        put.story.append((self.number, request.op, request.n, request.outcome, request.args[-1]))
        if request.outcome == "ok" and number is not None:
            put.state, put.id, put.done = "ok", number, time.monotonic()
        else:
            put.state = "failed" if request.outcome == "ok" else request.outcome
        if request.outcome == "failed" and request.op in ("out", "outs"):
            self.books.fault(request.op, "of", key, "failed:", request.code, request.rest)

    def out(self):
        what, options, times = self.random.random(), {}, {}
        if what < 0.1:
            times["ttl"] = self.random.randrange(20, 1500) / 1000
        elif what < 0.2:
            times["delay"] = self.random.randrange(1, 800) / 1000
        for name, seconds in times.items():
            options[name] = round(seconds * 1000)
        key = self.new_key(**times)

        def then(request):
            self.put_ended(key, request, request.result)
            if request.outcome == "ok":
                if request.result < self.last_id and request.n > self.last_n:
                    self.books.fault("the id", request.result, "came after", self.last_id)
                if request.n > self.last_n:
                    self.last_id, self.last_n = request.result, request.n
        self.ask(then, "out", "main", self.fields(key, "job" if self.random.random() < 0.8 else "hold"), options)

    last_n = 0

    def outs(self):
        keys = [self.new_key() for _ in range(self.random.randrange(1, 9))]

        def then(request):
            for i, key in enumerate(keys):
                self.put_ended(key, request, request.result[i] if request.outcome == "ok" else None)
        self.ask(then, "outs", "main", [self.fields(key) for key in keys])

    def once(self):
        """Only one of a name at a time: unless."""
        slot, key = self.random.randrange(3), self.new_key()

        def counted(request):
            if request.result > 1:
                self.books.fault(request.result, "tuples of what is put unless it is there")
        self.ask(lambda request: self.put_ended(key, request, request.result),
                 "out", "main", ["once", slot, key, ""], {"unless": ["once", slot, formal("int"), ANY]})
        self.ask(counted, "count", "main", ["once", slot, ANY, ANY])

    # --- what it takes ---

    def template(self, op="in"):
        if op == "claim" and self.random.random() < 0.1:  # what is taken and comes back would be one too many
            return ["once", ANY, formal("int"), formal("text")]
        return ["job", ANY if self.random.random() < 0.5 else self.random.randrange(4), formal("int"), formal("text")]

    def options(self):
        options = {"timeout": self.random.choice((0, 0, 5, 50, 500))}
        if self.random.random() < 0.2:
            options["max"] = self.random.randrange(1, 9)
        if self.random.random() < 0.05:
            del options["timeout"]
        return options

    def take(self):
        def then(request):
            self.open.remove(request)
            if request.outcome == "ok":
                self.taken[request] = self.consume(request, [(row[1][2], row[0]) for row in request.result])
        self.open.append(self.ask(then, "in", "main", self.template(), self.options()))

    def consume(self, request, rows):
        for key, number in rows:
            self.books.seen(key, number, request)
        entries = [[key, number, True] for key, number in rows]
        self.books.takes += entries
        return entries

    def over(self, takes):
        """The session is: what the server did not know to be read went back."""
        self.claims.clear()
        self.last_n = 0
        for request in takes:
            for entry in self.taken.get(request, ()):
                entry[2] = False
        self.taken.clear()

    def read(self):
        def then(request):
            for number, fields in request.result:
                self.books.seen(fields[2], number, request)
        self.ask(then, "rd", "main", self.template(), {"timeout": self.random.choice((0, 5)), "max": 3})

    def cancel(self):
        choice = [request for request in self.open if not request.cancel and request.n in self.session.pending]
        if choice:
            self.count += 1
            self.session.cancel(self.random.choice(choice))

    # --- claims ---

    def claim(self):
        is_long = self.random.random() < 0.6
        options = dict(self.options(), lease=LONG if is_long else self.random.randrange(1, 400))

        def then(request):
            self.open.remove(request)
            for number, fields, token, tries in request.result if request.outcome == "ok" else ():
                self.books.seen(fields[2], number, request)
                self.books.claimed(fields[2], token, tries)
                self.claims[token] = fields[2], number, is_long
        self.open.append(self.ask(then, "in", "main", self.template("claim"), options))

    def refused(self, request, tokens, claims):
        """-12 names those that are over; a long lease is only over with its session."""
        stale = request.rest[0] if request.rest else ()
        if request.code != -12 or not stale or set(stale) - set(tokens):
            self.books.fault(request.op, "of", tokens, "failed:", request.code, request.rest)
        for token in stale:
            if token in self.claims and claims[token][2]:
                self.books.fault("the claim", token, "is over before its time")
            self.claims.pop(token, None)

    def commit(self):
        tokens = self.random.sample(sorted(self.claims), min(len(self.claims), self.random.randrange(1, 4)))
        how = self.random.choice(("done", "done", "back", "bury"))
        claims = {token: self.claims.pop(token) for token in tokens}
        keys = [self.new_key() for _ in range(self.random.randrange(3))]
        what = {how: [[t, self.random.choice((0, 0, 50))] for t in tokens] if how == "back" else tokens,
                "out": [["main", self.fields(key)] for key in keys]}

        def then(request):
            for i, key in enumerate(keys):
                self.put_ended(key, request, request.result[i] if request.outcome == "ok" else None)
            if request.outcome == "failed":
                self.claims.update(claims)
                self.refused(request, tokens, claims)
            elif how == "done":
                self.books.takes += [[key, number, request.outcome == "ok"] for key, number, _ in claims.values()]
        self.ask(then, "commit", what)

    def renew(self):
        tokens = self.random.sample(sorted(self.claims), min(len(self.claims), 2))
        if tokens:
            claims = {token: self.claims[token] for token in tokens}
            self.ask(lambda request: request.outcome == "failed" and self.refused(request, tokens, claims),
                     "renew", tokens, 300)

    # --- atomics ---

    def sum(self):
        """A counter: what is read never falls, and all that is added is in it in the end."""
        def then(request):
            if request.outcome == "ok" and request.result:
                value = request.result[0][0][1][1] + 1
                if value <= self.last_sum:
                    self.books.fault("the sum was", self.last_sum, "and then", value)
                self.last_sum = value
            if request.outcome == "failed" or request.result or request.outcome == "unknown":
                self.books.sums[request.outcome] = self.books.sums.get(request.outcome, 0) + 1
        self.ask(then, "atomic", [["in", "main", ["sum", formal("int")]],
                                  ["out", "main", ["sum", cbor2.CBORTag(21581, [0, 1, 1])]]], {"timeout": 5000})

    def move(self):
        """From one kind to another, its filler with it: both or neither."""
        old = self.random.choice([k for k in range(max(self.key - 30, self.number * 10000000), self.key + 1)])
        key = self.new_key()

        def then(request):
            done = request.outcome == "ok" and request.result is not None
            self.put_ended(key, request, request.result[1][0] if done else None)
            if done:
                self.books.seen(old, request.result[0][0][0], request)
                self.books.takes.append([old, request.result[0][0][0], True])
            elif request.outcome == "unknown" and old in self.books.puts:
                self.books.takes.append([old, None, False])
            elif request.outcome == "failed":
                self.books.fault("an atomic failed:", request.code, request.rest)
        self.ask(then, "atomic", [["in", "main", ["hold", ANY, old, ANY]], ["no", "main", ["never"]],
                                  ["out", "main", ["job", key % 4, key, cbor2.CBORTag(21581, [0, 3])]]], {"timeout": 0})

    # --- the end ---

    def settle(self, seconds=60):
        """Until little is unanswered; what waits is cancelled."""
        end = time.monotonic() + seconds
        while len(self.session.pending) > 20 and time.monotonic() < end:
            self.session.step(0.05)

    def leave(self):
        """With nothing faulty any more: everything is answered soon."""
        end = time.monotonic() + 60
        while self.session.pending or self.session.held or self.claims:
            assert time.monotonic() < end, "stuck: %s" % [(r.n, r.op, r.args) for r in self.session.pending.values()]
            for request in self.open:
                if "timeout" not in request.args[2] and not request.cancel and request.n in self.session.pending:
                    self.session.cancel(request)
            if self.claims and not any(r.op == "commit" for r in self.session.pending.values()):
                self.commit()
            self.session.step(0.05)
        self.ask(None, "bye")
        while self.session.pending:
            assert time.monotonic() < end, "bye is not answered"
            self.session.step(0.05)


class Server:
    """Dies, stops, goes on and comes back."""

    def __init__(self, *args, env=None):
        self.random = random.Random(harness.SEED)
        self.args, self.env = args, env or dict(os.environ)
        self.store = os.path.join(tempfile.mkdtemp(dir=harness.folder()), "store.db")
        self.process = harness.tiliad("--store", self.store, *args, env=self.env)
        self.sock, self.kills, self.stops = self.process.sock, 0, 0

    def trouble(self):
        if self.random.random() < 0.5:
            self.process.send_signal(signal.SIGSTOP)
            time.sleep(self.random.random() * 0.4)
            self.process.send_signal(signal.SIGCONT)
            self.stops += 1
        else:
            self.process.kill()
            self.process.wait()
            time.sleep(self.random.random() ** 2 * 0.3)
            if self.args:  # the planted fault: its lock file would tell
                os.unlink(self.store + ".lock")
            self.process = harness.tiliad("--store", self.store, *self.args, sock=self.sock, env=self.env)
            self.kills += 1


def drained(address):
    """All that exists, delayed or claimed as it may be: (kind, key, id)."""
    w, left = Wire(address), []
    harness.until(lambda: w.ask("stats")[1]["sessions"] == 0, "the graces are over", 30)
    for space in [row["name"] for row in w.ask("space", "list")[1]]:
        while True:
            code, rows = w.ask("in", space, None, {"drain": True, "max": 500})
            assert code == 0, rows
            if not rows:
                break
            left += [(fields, number) for number, fields in rows]
    stats = w.ask("stats")[1]
    assert (stats["tuples"], stats["claims"], stats["waiting"]) == (0, 0, 0), stats
    return left


def adds_up(server, seconds):
    """The faults that are found when clients live so long with that server."""
    began = time.monotonic()
    assert Wire("unix:" + server.sock).ask("out", "main", ["sum", 0])[0] == 0
    net = Net(os.path.join(os.path.dirname(server.store), "net"), server.sock, harness.SEED)
    books = Books()
    clients = [Client(i, net.address, books, harness.SEED) for i in range(CLIENTS)]
    for client in clients:
        client.start()
    while time.monotonic() < began + seconds and not any(c.error for c in clients):
        time.sleep(server.random.random() * 0.6)
        server.trouble()
    net.good = True
    for client in clients:
        client.finish.set()
    for client in clients:
        client.join(90)
    errors = ["client %d: %r" % (c.number, c.error or "it does not end") for c in clients if c.error or c.is_alive()]
    if errors:
        return errors
    left = drained("unix:" + server.sock)
    total = [fields[1] for fields, _ in left if fields[0] == "sum"]
    faults = books.settle([(fields[2], number) for fields, number in left if fields[0] != "sum"])
    if len(total) != 1 or not books.sums["ok"] <= total[0] <= books.sums["ok"] + books.sums["unknown"]:
        faults.append("the sum is %s, of %s" % (total, books.sums))
    print("# seed %d, %.0f s: %d requests; %d kills, %d stops, %s, %d clients died, %d sessions over; %s, %d left" % (
        harness.SEED, time.monotonic() - began, sum(c.count for c in clients), server.kills, server.stops, net.broken,
        sum(c.deaths for c in clients), sum(c.session.overs for c in clients), books, len(left)), flush=True)
    assert server.kills and books.takes and books.tokens and books.sums["ok"]
    return faults


def test_it_adds_up_whatever_breaks():
    faults = adds_up(Server(), SECONDS)
    assert faults == [], "SEED=%d SECONDS=%g: %d faults: %s" % (
        harness.SEED, SECONDS, len(faults), "; ".join(faults[:9]))


def test_a_server_that_forgets_is_found():
    """Planted: what it acknowledged is not on disk."""
    faults = adds_up(Server("--sync", "off", env=preload("crashvfs")), 3)
    print("# found: " + "; ".join(faults)[:300])
    assert faults


harness.main()
