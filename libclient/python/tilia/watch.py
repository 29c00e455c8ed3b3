"""What happens in a space, as it happens.

    for event in space.watch("job", int):
        print(event.kind, event.cursor, event.id, event.tuple)

kind is put, take, claim, back, done, bury or expire; or drop, when the space itself was dropped,
which ends the loop; or gap: events are missing here, because this program read too slowly, the
server was started again, or after=cursor is too old. Drop and gap have no tuple. A cursor rises
by one with each event of the space, whether it matches or not; after=cursor begins behind one.

The watch begins with the call, not with the first step of the loop. It ends with the loop
(break), with .close(), or as a context manager. A broken connection does not end it.
"""
import collections
import os

from . import Error, Tuple, _Call, _error, _forking, _frame, encode

KEEP = 1 << 20  # bytes, about, of events that nobody has asked for yet; then they wait at the server

Event = collections.namedtuple("Event", "kind cursor id tuple")


class _Events(_Call):
    """The request. An exception may strike anywhere in it, and then its parts come again."""

    def __init__(self, space, template, options):
        self.start = encode("watch") + encode(space.name) + encode(template, True)
        self.channel = space.channel
        self.last = options.get("after")  # cursor of the last event
        self.gap = None  # and of the last gap
        self.queue = collections.deque()
        self.size = 0
        self.full = False  # events are left out: to be asked for again
        self.left = False  # nobody wants any more
        self.end = None  # the final reply
        self.sent = None
        _Call.__init__(self, "watch")
        self.ask(options)

    def ask(self, options):
        self.parts = 5 if options else 4
        self.body = self.start + (encode(options) if options else b"")

    @property
    def frame(self):
        """To be sent; and again, on another connection, behind the last event.

        If there was none, nobody knows where it began: behind a cursor that never was, so
        that it begins with a gap.
        """
        if self.sent is None:
            return None
        first, self.sent = self.sent, b""
        if first:
            return first
        self.ask({"after": self.last or 0})
        return _frame(self.n, self.parts, self.body)

    @frame.setter
    def frame(self, frame):
        self.sent = frame

    @property
    def reply(self):
        return self.queue or self.end

    @reply.setter
    def reply(self, reply):
        if reply[1] != 1:
            self.end = reply
        elif self.left:
            self.leave()
        elif self.size > KEEP:
            self.full = True
        elif not self.full:
            self.take(*reply[2][:4])

    def take(self, kind, cursor, id, fields):
        last = self.queue[-1].cursor if self.queue else self.last or 0
        if cursor == self.gap if kind == "gap" else cursor <= last:
            return  # it was here already
        if fields is not None:
            fields = Tuple(fields)
            fields.id = id
        event = Event(kind, cursor, id, fields)
        self.queue.append(event)  # that it is there says all; what follows may be missing
        self.size += _size(event)
        self.last = cursor
        if kind == "gap":
            self.gap = cursor

    def leave(self):
        """Cancels it, once."""
        self.left = True
        if not self.gone and not self.end:
            try:
                self.channel.cancel(self)
            except Error:
                pass  # it is over with its connection


def _size(event):
    return 100 + sum(len(field) for field in event.tuple or () if hasattr(field, "__len__"))


class Watch:
    """The events of a space, one after the other. For one thread."""

    def __init__(self, space, template, options):
        self.space = space
        self.template = template
        self.last = None
        self.pid = os.getpid()
        with _forking:
            if space.channel.pid != self.pid:
                space.channel.fork()
        self._begin(options)

    def _begin(self, options):
        self.call = _Events(self.space, self.template, options)
        try:
            self.space.channel.put(self.call)
        except BaseException:
            self.close()
            raise

    def __iter__(self):
        return self

    def __next__(self):
        call = self.call
        while not call.queue:
            if self.pid != os.getpid():
                raise Error(-69, "this watch belongs to process %d" % self.pid)
            if call.left or self.last and self.last.kind == "drop":
                raise StopIteration
            if call.full:
                call.leave()
                self._begin({"after": call.last})
                call = self.call
            elif call.end:
                raise _error(*call.end[1:3])
            else:
                try:
                    self.space.channel.wait(call)
                finally:
                    call.asleep = False
        self.last = call.queue[0]
        if len(call.queue) == 1:
            call.last = self.last.cursor
        call.size -= _size(self.last)
        return call.queue.popleft()

    def close(self):
        """Ends it. Harmless twice."""
        if self.pid == os.getpid():
            self.call.leave()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def __del__(self):
        # Where the interpreter is now nobody knows: if it writes a request, the next event does it.
        call = vars(self).get("call")
        if call:
            call.left = True
            if self.pid == os.getpid() and call.n and call.channel.lock.acquire(False):
                call.channel.lock.release()
                call.leave()


def each(space, template, options):
    """A Watch. template=None, or no field at all: every tuple."""
    options = {key: value for key, value in options.items() if value is not None or key == "template"}
    template = options.pop("template", template or None)
    if set(options) - {"after"}:
        raise Error(-69, "no such option: %s" % ", ".join(sorted(set(options) - {"after"})))
    return Watch(space, template, options)
