"""The client's side of a session, from docs/protocol.md alone (section 5 above all): requests go
out under rising numbers, connections are given up and made again, replies come in once."""
import time

from wire import Wire, frame

PATIENCE = 0.6  # seconds without a word before a ping, and after it
AGAIN = "in", "rd", "count", "wait", "ping"  # without effect when the session is over: asked again
CHANGING = "in", "out", "outs", "commit", "atomic", "space"
SESSION_OVER, TAKEN_OVER, CANCELLED, STOPPING = -9, -10, -13, -14


class Broken(Exception):
    """This connection is not worth anything any more."""


class Request:
    """outcome: None, then once "ok" (.result), "failed" (.code, .rest: no effect) or "unknown"."""

    def __init__(self, op, args, then):
        self.op, self.args, self.then = op, args, then
        self.outcome = self.result = self.code = self.read = self.cancel = None
        self.rest = ()
        self.sent = time.monotonic()

    def end(self, outcome, code=0, result=None, rest=()):
        assert self.outcome is None, self.op
        self.outcome, self.code, self.result, self.rest = outcome, code, result, rest
        if self.then:
            self.then(self)


class Session:
    """`over(takes)` is called when the session is over: of these takes the answers had come, but
    it is not sure that the server knows; their tuples may have gone back."""

    def __init__(self, address, rng, over, grace=None):
        self.address, self.random, self.over, self.grace = address, rng, over, grace
        self.wire, self.output, self.attempt, self.breaks, self.overs = None, b"", 0, 0, 0
        self.new()

    def new(self):
        self.id, self.next, self.pending, self.held = None, 2, {}, {}
        self.unacknowledged, self.unsure, self.void, self.ping = [], {}, set(), None

    def ask(self, op, *args, then=None):
        return self.put(Request(op, args, then))

    def put(self, request):
        request.n, self.next = self.next, self.next + 1
        self.pending[request.n] = request
        self.output += frame(request.n, request.op, *request.args)
        return request

    def cancel(self, request):
        """Undoes a take, answered (but not acknowledged) or not. It ends as "failed" or as it would have."""
        def told(cancel):
            del self.held[request.n]
            request.cancel = None
            if cancel.result:
                if self.pending.pop(request.n, None):
                    self.void.add(request.n)
                request.end("failed", CANCELLED)
            elif request.read:
                self.answered(request, *request.read)
        self.held[request.n] = request
        request.cancel = self.ask("cancel", request.n, then=told)

    # --- connections ---

    def connect(self):
        self.wire, self.heard, self.ping = Wire(self.address), time.monotonic(), None
        self.wire.sock.settimeout(2)
        options = {"v": 1, "session": "new"}
        if self.grace:
            options["grace"] = self.grace
        if self.id:
            self.attempt += 1
            options.update(session=self.id, have=self.have(), attempt=self.attempt)
        for request in self.held.values():  # what was read before its cancel was answered counts no more
            request.read = None
            self.pending[request.n] = request
        for request in self.unsure:
            self.unsure[request] = self.next
        self.unacknowledged.clear()
        self.output = frame(1, "hello", options) + b"".join(
            frame(n, r.op, *r.args) for n, r in sorted(self.pending.items()))

    def have(self):
        """All numbers below the next but those without a reply and those that are not to be acknowledged."""
        ranges, first = [], 1
        for n in sorted(set(self.pending) | set(self.held)) + [self.next]:
            if first < n:
                ranges.append([first, n - 1])
            first = n + 1
        return ranges

    def lose(self):
        self.breaks += 1
        if self.wire is None:  # nothing was sent
            return
        self.wire.close()
        self.wire = None
        if self.id is None:  # nobody can resume what was begun
            self.end()

    def end(self):
        """The session is over: what is unanswered is asked again, or unknown."""
        self.overs += 1
        old, held, unsure = sorted(self.pending.items()), set(self.held), list(self.unsure)
        answered = [r for n, r in self.held.items() if n not in self.pending]
        self.new()
        self.over(unsure)
        for request in answered:  # takes that were not acknowledged: undone
            request.end("failed", SESSION_OVER)
        for n, request in old:
            if request.op == "cancel":
                continue
            if n in held:
                request.end("failed", SESSION_OVER)
            elif request.op in AGAIN:
                self.put(request)
            else:
                request.end("unknown", SESSION_OVER)

    def vanish(self):
        """Dies without a word."""
        if self.wire:
            self.wire.close()
        self.wire = None
        self.end()

    # --- bytes ---

    def step(self, seconds=0.0):
        """Sends what is there and reads for so long at most, or until something came."""
        try:
            if self.wire is None:
                self.connect()
            if self.output:
                data, self.output = self.output, b""
                self.wire.raw(data)
            while self.wire.input or self.wire.readable(seconds):
                self.read()
                seconds = 0
            self.listen()
        except (Broken, OSError):
            self.lose()
            time.sleep(self.random.random() * 0.02)

    def read(self):
        try:
            message = self.wire.receive(PATIENCE)
        except AssertionError:  # it ends, or stalls, inside of a frame
            raise Broken()
        if message is None:
            raise Broken()
        self.heard = time.monotonic()
        self.take(*message)

    def listen(self):
        """A peer that says nothing may be none: it is asked."""
        quiet = time.monotonic() - self.heard
        if quiet > 2 * PATIENCE and self.pending:
            raise Broken()
        if quiet > PATIENCE and not (self.ping and self.ping.outcome is None):
            self.ping = self.ask("ping")

    def take(self, n, code, result=None, *rest):
        if n == 0 or code in (STOPPING, TAKEN_OVER):
            raise Broken()
        if n == 1:
            return self.welcome(code, result)
        if n in self.void and n not in self.pending:
            return self.void.remove(n)
        request = self.pending.pop(n)
        if n in self.held and request.op != "cancel":
            request.read = code, result, rest  # counts when the cancel is answered so
            return
        self.answered(request, code, result, rest)

    def welcome(self, code, result):
        if code == SESSION_OVER:
            self.id = None
            raise Broken()
        assert code == 0, (code, result)
        self.id = result["session"]

    def answered(self, request, code, result, rest):
        if request.op in CHANGING:
            self.unacknowledged.append(request.n)
            if request.op in ("out", "outs") and code == 0 and result:
                self.durable(request.n)
            if request.op == "in" and code == 0 and result:
                self.unsure[request] = None
        if code == 0:
            request.end("ok", code, result, rest)
        else:
            request.end("failed", code, result, rest)
        if len(self.unacknowledged) >= 64 or self.random.random() < 0.1:
            self.acknowledge()

    def acknowledge(self):
        if self.unacknowledged:
            self.output += frame(0, "ack", *self.unacknowledged)
            self.unacknowledged.clear()
            for request, behind in self.unsure.items():
                self.unsure[request] = behind or self.next

    def durable(self, n):
        """Request n changed something that is on disk; so is every `ack` that was sent before it."""
        self.unsure = {r: behind for r, behind in self.unsure.items() if not behind or behind > n}
