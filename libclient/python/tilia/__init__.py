"""Tilia: a tuple space. Programs on any host meet there with out, in and rd.

    import tilia
    space = tilia.space()
    space.out("job", 17, "a.png")
    kind, number, path = space.in_("job", int, str)

Fields are arguments, options are keywords, durations are seconds. In a template, types are
formals (typed blanks): int, float, str, bytes, bool, list (or tuple), dict, type(None),
tilia.number (int or float), and ... for anything. template=None matches every tuple.
Matching is strict: 1 is not 1.0, True is not 1, text is not bytes.

This file is also what `tilia run` sends to the interpreters it starts: it knows one channel
(a pair of descriptors) and nothing of sessions; _net.py does, for a script by itself.
"""
# Python 3.6, and small: 4 KiB when squeezed. An exception may strike between any two
# steps (Ctrl-C), so what must not come apart is one C call or one assignment, and the rest
# can be done twice. That is what the odd list.extend(map(function, arguments)) is for: the
# result is in the list before any handler of a signal can run.
import os
import select
import struct
import _thread
import _weakref

WORDS = dict(zip(
    (*range(1, 21), *range(65, 70)),
    "malformed request value limit no-space space-exists full denied session-over taken-over"
    " unacknowledged claim-over cancelled stopping version auth mixed slow shape internal"
    " connect closed timeout unknown usage".split()))


class Error(Exception):
    """Something was refused. code is the protocol's number, word its name, text says what."""

    def __init__(self, code, text):
        Exception.__init__(self, code, text)
        self.code = code
        self.text = text
        self.word = WORDS.get(-code, "error")
        self.path = []  # to the value at fault

    def __str__(self):
        path = ["[%r]" % (key,) for key in self.path]
        if path and isinstance(self.path[0], int):
            path[0] = "field %d" % self.path[0]
        return "".join(path) + ": " * bool(path) + self.text


class Timeout(Error):
    """Nothing matched in time."""


class Unknown(Error):
    """The connection broke; whether the request was done is not known."""


class SessionOver(Error):
    """The session is over: its claims and unacknowledged takes went back."""


KINDS = {-67: Timeout, -68: Unknown, -9: SessionOver}


def _error(code, text):
    return KINDS.get(code, Error)(code, text)


# Values. What Python has, as Python has it; these classes for the rest.


class Tuple(tuple):
    """A tuple of a space; .id is its id there."""

    id = None


class Tag:
    """A CBOR tag: a number and a value."""

    def __init__(self, number, value):
        self.number = number
        self.value = value

    def __eq__(self, other):
        return type(self) is type(other) and encode(self) == encode(other)

    def __hash__(self):
        return hash(encode(self))

    def __repr__(self):
        return "Tag(%r, %r)" % (self.number, self.value)


class Simple(Tag):
    """A CBOR simple value without a name."""

    def __init__(self, number):
        Tag.__init__(self, number, None)

    def __repr__(self):
        return "undefined" if self.number == 23 else "Simple(%d)" % self.number


class Map(list):
    """A map whose keys a dict cannot hold (lists, maps, NaN, 1 beside 1.0): [(key, value)...]."""


undefined = Simple(23)


def Formal(type=None, **limits):
    """A typed blank by its name in the protocol: Formal("number"), Formal("int", ge=1)."""
    return Tag(21580, dict(limits, type=type) if limits else type)


number = Formal("number")
FORMALS = {
    ...: None, type(None): "null", bool: "bool", int: "int", float: "float", str: "text",
    bytes: "bytes", list: "array", tuple: "array", dict: "map", Map: "map", Tag: "tag",
    Simple: "simple",
}


def _head(major, n):
    if n < 0 or n >> (8 if major == 7 else 64) or major == 7 and 23 < n < 32:
        raise Error(-3, "%d is out of range" % n)
    if n < 24:
        return bytes((major << 5 | n,))
    size = (n.bit_length() + 7 >> 3) - 1
    size = (size > 0) + (size > 1) + (size > 3)
    return bytes((major << 5 | 24 + size,)) + n.to_bytes(1 << size, "big")


def encode(value, formals=False):
    """The value as deterministic CBOR (RFC 8949, 4.2.1); with formals, types are blanks."""
    def part(key, value):
        try:
            return encode(value, formals)
        except Error as error:
            error.path.insert(0, key)
            raise

    def is_a(*kinds):
        return isinstance(value, kinds)

    if value is None:
        return b"\xf6"
    if is_a(bool):
        return b"\xf5" if value else b"\xf4"
    if is_a(str):
        try:
            value = value.encode()
        except UnicodeError:
            raise Error(-3, "half of a surrogate pair")
        return _head(3, len(value)) + value
    if is_a(bytes, bytearray, memoryview):
        value = bytes(value)
        return _head(2, len(value)) + value
    if is_a(float):
        if value != value:
            return b"\xf9~\0"
        for head, kind in zip(b"\xf9\xfa\xfb", "efd"):
            try:
                data = struct.pack(">" + kind, value)
                if struct.unpack(">" + kind, data)[0] == value:
                    return bytes((head,)) + data
            except OverflowError:
                pass
    if is_a(Simple):
        return _head(7, value.number)
    if is_a(Tag):
        return _head(6, value.number) + encode(value.value, formals)
    if is_a(dict, Map):
        value = value.items() if is_a(dict) else value
        value = sorted((encode(key), part(key, item)) for key, item in value)
        if len(dict(value)) < len(value):
            raise Error(-3, "duplicate map key")
        return _head(5, len(value)) + b"".join(map(b"".join, value))
    if is_a(list, tuple):
        return _head(4, len(value)) + b"".join(part(*item) for item in enumerate(value))
    if is_a(type, type(...)):
        if formals and value in FORMALS:
            return encode(Formal(FORMALS[value]))
    elif hasattr(value, "__index__"):
        value = value.__index__()
        sign = value < 0
        value = ~value if sign else value
        if value >> 64:
            return _head(6, 2 + sign) + encode(value.to_bytes(value.bit_length() + 7 >> 3, "big"))
        return _head(sign, value)
    raise Error(-3, "cannot send %r" % (value if is_a(type) else type(value)))


def decode(data):
    """The value of exactly one item of CBOR. Arrays come as lists, maps as dicts (or Map)."""
    try:
        value, at = _item(data, 0)
        if at == len(data):
            return value
    except (LookupError, ValueError, TypeError, RecursionError):
        pass
    raise Error(-1, "this is not one item of CBOR")


def _item(data, at, loose=False):
    """The item at that place, and where it ends. LookupError when it is not all there.

    loose: a break may stand there instead; _item itself stands for it.
    """
    head = data[at]
    major = head >> 5
    n = info = head & 31
    at += 1
    if info > 23:
        if info < 28:
            n = 1 << info - 24
            raw = data[at:at + n]
            at += n
            if at > len(data):
                raise IndexError
            n = int.from_bytes(raw, "big")
        elif info == 31 and major == 7 and loose:
            return _item, at
        elif info < 31 or major in (0, 1, 6, 7):
            raise ValueError
    if major < 2:
        return ~n if major else n, at
    if major == 6:
        got, at = _item(data, at)
        if n not in (2, 3):
            return Tag(n, got), at
        got = int.from_bytes(memoryview(got), "big")
        return ~got if n == 3 else got, at
    if major == 7:
        if info > 24:
            return struct.unpack(">" + "efd"[info - 25], raw)[0], at
        if info == 24 and n < 32:
            raise ValueError
        return {20: False, 21: True, 22: None, 23: undefined}.get(n) if 19 < n < 24 else Simple(n), at
    if major < 4 and info < 31:
        got = bytes(data[at:at + n])
        at += n
        if at > len(data):
            raise IndexError
        return got.decode() if major == 3 else got, at
    each = []
    while info == 31 or len(each) < n * (major - 3):
        if major < 4 and data[at] != 255 and not 0 <= data[at] - 32 * major < 28:
            raise ValueError  # a piece of another kind
        got, at = _item(data, at, info == 31)
        if got is _item:
            break
        each.append(got)
    if major < 4:
        return (b"" if major == 2 else "").join(each), at
    if major == 4:
        return each, at
    pairs = Map(zip(each[::2], each[1::2]))
    if len(each) % 2:
        raise ValueError
    try:
        got = dict(pairs)
        if len(got) == len(pairs) and all(key == key for key in got):
            return got, at
    except TypeError:
        pass
    if len({encode(key) for key, item in pairs}) < len(pairs):
        raise ValueError  # a key twice
    return pairs, at


# A channel: requests out, replies in. There is no thread: of those that wait, one reads
# for all (the holder of `reading`), and hands the rest of the work on when it leaves.


class _Call:
    """A request on its way."""

    n = reply = frame = of = None  # of: the call that a cancel cancels
    asleep = gone = False  # gone: an exception left the wait

    def __init__(self, op, *args):
        self.op = op
        self.body = encode(op) + b"".join(args)
        self.parts = len(args) + 2
        self.wake = _thread.allocate_lock()
        self.wake.acquire()


class _Used(_weakref.ref):
    """Enters the acknowledgements (in C) when the frame that held its call has returned."""


def _frame(n, parts, body):
    return encode(_head(4, parts) + encode(n) + body)


def _wake(call):
    try:
        call.wake.release()
    except RuntimeError:  # awake already
        pass


class _Channel:
    """One stream of frames, used by any number of threads of one process."""

    CHANGES = "out", "outs", "in", "commit", "renew", "atomic", "space"

    def __init__(self, fd, out=None):
        self.n = 1  # the last number used; 1 is hello's
        self.calls = {}  # n: _Call, until its reply is here
        self.acks = []  # of whom the reply was used (.n): named in front of the next request
        self.used = {}  # n: _Used, of calls that change something
        self.error = None  # (code, text): why it is of no use any more
        self.lock = _thread.allocate_lock()  # of numbers and of writing
        self.reading = _thread.RLock()
        self.attach(fd, fd if out is None else out)
        self.pid = os.getpid()

    def attach(self, fd, out):
        os.set_blocking(fd, False)
        os.set_blocking(out, False)
        self.fds = fd, out
        self.chunks = []  # read, not yet understood
        self.queue = [], []  # what to write; how much of it is written

    def fork(self):
        """In a process that did not make this channel."""
        if not _fork:
            raise Error(-69, "this space belongs to process %d" % self.pid)
        _Channel.__init__(self, _fork(self))

    def lost(self, code, text):
        """The stream is at its end. Nobody waits for ever."""
        self.error = code, text
        for call in list(self.calls.values()):
            _Channel.answer(self, call, [call.n, -68 if self.doubt(call) else code, text])

    def doubt(self, call):
        """Whether it may have been done though nobody answered; an unanswered take was undone."""
        return call.op in self.CHANGES and call.op != "in"

    def answer(self, call, reply):
        call.reply = reply
        if call.of:
            self.calls.pop(call.of.n, None)
            self.acks.append(call.of)
        if reply[1] != 1:  # a part
            self.calls.pop(call.n, None)
        _wake(call)

    def write(self):
        """Writes what can be written now; the lock is held."""
        parts, done = self.queue
        data = b"".join(parts)
        try:
            while sum(done) < len(data):
                done.extend(map(os.write, self.fds[1:], (memoryview(data)[sum(done):],)))
            self.queue = [], []
        except BlockingIOError:
            self.queue = [data], [sum(done)]
        except OSError:
            pass  # whoever reads hears of it

    def put(self, call):
        """Numbers a call and queues it, acknowledgements first."""
        with self.lock:
            if self.error:
                raise _error(*self.error)
            acks = [call.n for call in self.acks[:1000]]
            if acks:
                self.queue[0].append(_frame(0, len(acks) + 2, b"".join(map(encode, ["ack"] + acks))))
                del self.acks[:len(acks)]
                for n in acks:
                    self.used.pop(n, None)
            call.n = self.n = self.n + 1
            call.frame = _frame(call.n, call.parts, call.body)
            if call.op in self.CHANGES:
                self.used[call.n] = used = _Used(call, self.acks.append)
                used.n = call.n
            self.calls[call.n] = call
            self.queue[0].append(call.frame)
            self.write()

    def read(self):
        """Waits, writes what is queued, reads once; `reading` is held."""
        fd, out = self.fds
        poll = select.poll()
        wanted = {fd: select.POLLIN}
        if self.queue[0]:
            wanted[out] = wanted.get(out, 0) | select.POLLOUT
        for item in wanted.items():
            poll.register(*item)
        poll.poll()
        with self.lock:
            self.write()
        try:
            self.chunks.extend(map(os.read, (fd,), (1 << 20,)))
            if not self.chunks[-1]:
                raise OSError("closed")
            self.parse()
        except BlockingIOError:
            pass
        except OSError as error:
            self.lost(-66, "the connection broke: %s" % error)
        except (Error, LookupError, ValueError, TypeError) as error:
            self.lost(getattr(error, "code", -1), str(error))

    def parse(self):
        """Hands out the replies that are whole. Doing it twice does no harm."""
        data = b"".join(self.chunks)
        end = 0
        while True:
            try:
                reply, at = _item(data, end)
            except IndexError:
                break
            end = at
            reply = decode(reply)
            if reply[0] in self.calls:
                self.answer(self.calls[reply[0]], reply)
            elif not reply[0]:
                raise _error(*reply[1:3])
        self.chunks[:] = [data[end:]]

    def wait(self, call):
        """Until the reply is here."""
        call.asleep = True
        while not call.reply:
            try:
                if self.reading.acquire(False):
                    while not call.reply:
                        self.read()
            finally:
                while self.reading._is_owned():  # once, and what an interrupt left here before
                    self.reading.release()
                    for other in list(self.calls.values()):
                        if other.asleep and not other.gone:
                            _wake(other)
                            break
            if not call.reply:
                if self.queue[0]:
                    with self.lock:
                        self.write()
                # not for ever: who should wake us may be interrupted
                call.wake.acquire(True, .01 if self.queue[0] else 1)

    def request(self, call, result=None, timeout=0):
        """Asks, and gives result(what was answered); if that is None, it has timed out.

        From its `return` on to the caller's caller no signal gets in, as long as all of them
        just return a plain call (after one with * or ** Python looks for signals).
        """
        if self.pid != os.getpid():
            with _forking:
                if self.pid != os.getpid():
                    self.fork()
        try:
            self.put(call)
            self.wait(call)
            if not call.reply[1]:
                value = result(call.reply[2]) if result else call.reply[2]
                if value is not None or timeout == 0:
                    return value
        except BaseException:
            while call.n and not call.gone:
                try:
                    self.cancel(call)
                except KeyboardInterrupt:
                    pass  # one is on its way already
            raise
        if call.reply[1]:
            raise _error(*call.reply[1:3])
        raise Timeout(-67, "nothing matched in %s s" % timeout)

    def cancel(self, call):
        """An exception left the wait: what was taken for it goes back."""
        if not self.error:
            cancel = _Call("cancel", encode(call.n))
            cancel.of = call
            self.put(cancel)
        self.used.pop(call.n, None)
        call.gone = True

    def close(self):
        """A worker's channel ends with the worker."""


def _later(name):
    """A method of Space that stands in more.py, imported when it is first used."""
    def method(self, *args, **options):
        """See tilia.more, where this method is."""
        from . import more
        return getattr(more, name)(self, *args, **options)
    return method


class Space:
    """A named bag of tuples; tilia.space() makes one. Any number of threads may use it.

    Fields are arguments, options keywords, durations seconds. When an exception (Ctrl-C)
    leaves a call that waits, the call is cancelled: a tuple that was taken for it goes back
    to its place. An out that was sent stands.

    In more.py: out_many, claims, atomic, wait, wait_none, watch, create, alter, drop, list, stats.
    """

    def __init__(self, channel, name="main"):
        self.channel = channel
        self.name = name

    def use(self, name):
        """Another space, through the same connection."""
        return Space(self.channel, name)

    def out(self, *fields, **options):
        """Puts one tuple and gives its id.

        ttl=seconds: deleted then. delay=seconds: nobody finds it before. bound=True: vanishes
        with this program's session. wait=True (timeout=seconds): waits while the space is full.
        unless=(a template): only if nothing that exists matches it, else None; hidden=False:
        nothing that is visible.
        """
        return self._call("out", encode(fields), options)

    def outs(self, tuples, **options):
        """Puts up to 1,024 tuples, all at once or none, and gives their ids."""
        parts = [encode(item) for item in tuples]
        return self._call("outs", _head(4, len(parts)) + b"".join(parts), options)

    def in_(self, *template, **options):
        """Takes the oldest match, or waits for one; timeout=seconds: at most, then Timeout.

        With max=n it takes 1 to n, as a list. template=None stands for any tuple, and
        template=() for the one without fields. With drain=True it gives None (or []) as soon as
        nothing that matches exists any more, claimed and delayed tuples included; with a timeout
        too, also when that has passed.
        """
        return self._take("in", template, options)

    def rd(self, *template, **options):
        """As in_, but the tuple stays. With after=id: the next match after that one."""
        return self._take("rd", template, options)

    def inp(self, *template, **options):
        """As in_ without waiting: None (with max, []) when nothing matches."""
        return self._take("in", template, dict(options, timeout=0))

    def rdp(self, *template, **options):
        """As rd without waiting: None (with max, []) when nothing matches."""
        return self._take("rd", template, dict(options, timeout=0))

    def count(self, *template, **options):
        """How many match; without a field, how many there are. hidden=False: that are visible."""
        return self._match("count", template, options)

    out_many, claims, atomic, wait, wait_none, watch, create, alter, drop, list, stats = map(
        _later, "out_many,claims,atomic,wait,wait_none,watch,create,alter,drop,list,stats".split(","))

    def close(self):
        """Ends the connection, of all spaces that share it."""
        self.channel.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def __repr__(self):
        return "<tilia.Space %s>" % self.name

    def _call(self, op, first, options, result=None, timeout=0):
        call = _Call(op, encode(self.name), first, *_options(options))
        return self.channel.request(call, result, timeout)

    def _match(self, op, template, options, result=None, timeout=0):
        template = encode(options.pop("template", template or None), True)
        return self._call(op, template, options, result, timeout)

    def _take(self, op, template, options):
        many = options.get("max") is not None
        timeout = 0 if options.get("drain") else options.get("timeout")
        if not template and "template" not in options:
            raise Error(-69, "no field; for any tuple: template=None")

        def result(rows):
            got = []
            for row in rows:
                got.append(Tuple(row[1]))
                got[-1].id = row[0]
            return got if many and (got or timeout == 0) else got[0] if got else None

        return self._match(op, template, options, result, timeout)


def _options(options):
    """The last argument of a request, if there are any."""
    options = {key: value for key, value in options.items() if value is not None}
    for key in {"timeout", "ttl", "delay", "lease"} & set(options):
        options[key] = max(0, round(options[key] * 1000))
    return (encode(options, True),) if options else ()


_forking = _thread.allocate_lock()
_fork = None  # set by the hub: in a forked child, a channel of its own (a descriptor)
_channel = None


def _attach(fd):
    """Called by the hub in a worker: space() is on this descriptor from now on."""
    global _channel
    _channel = _Channel(fd)


def space(name="main", address=None):
    """The space of that name, connected.

    In a worker of `tilia run`: through the launcher. By itself: the server at the address
    (or list of addresses), else at $TILIA, else the user's own.
    """
    if _channel and not address:
        return Space(_channel, name)
    from . import _net
    return Space(_net.connect(address), name)
