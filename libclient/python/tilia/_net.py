"""What a script by itself needs beside the core: connections, and the session that survives them.

A worker of `tilia run` never has this: there the launcher keeps the session. No thread:
whoever waits for a reply is the one who connects again.
"""
import atexit
import os
import random
import select
import socket
import subprocess
import sys
import time
import _thread

from . import _Call, _Channel, Error, SessionOver, decode, encode, _error, _frame, _item

PORT = 5463
CONNECT = 10  # seconds for a connection to be made; then the next address is tried
PATIENCE = 30  # seconds until one that is half open is found, and for hello to be answered
GRACE = 60  # seconds a session outlives its connection, when the server does not say


def default():
    """Where a user's own server listens; refused if others could have made that folder."""
    run = os.environ.get("XDG_RUNTIME_DIR")
    if run:
        return "unix:%s/tilia.sock" % run
    folder = "/tmp/tilia-%d" % os.getuid()
    try:
        if os.lstat(folder).st_uid != os.getuid():
            raise Error(-65, "%s belongs to somebody else" % folder)
    except OSError:
        pass  # connecting says it better
    return "unix:%s/tilia.sock" % folder


def split(text):
    """The addresses of a list; cmd: takes the rest of it."""
    found = []
    while text and not text.startswith("cmd:"):
        one, _, text = text.partition(",")
        found.append(one)
    return [one for one in found + [text] if one]


def dial(address):
    """Connects to one address: a descriptor. OSError or Error when it cannot be."""
    kind, _, name = address.partition(":")
    if kind == "unix":
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.settimeout(CONNECT)
            sock.connect(name)
        except BaseException:
            sock.close()
            raise
    elif kind == "tcp":
        host, _, port = name.rpartition(":") if name.rpartition(":")[2].isdigit() else (name, "", "")
        sock = socket.create_connection((host.strip("[]"), int(port or PORT)), CONNECT)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in ("KEEPIDLE", 10), ("KEEPINTVL", 5), ("KEEPCNT", 4), ("USER_TIMEOUT", 1000 * PATIENCE):
            if hasattr(socket, "TCP_" + option):
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, "TCP_" + option), value)
    elif kind in ("ssh", "cmd"):
        words = ["ssh", "-T", "--", name, "tilia", "relay"] if kind == "ssh" else name.split()
        sock, other = socket.socketpair()
        with other:
            # Ctrl-C is for the script, not for its connection
            _children.append(subprocess.Popen(["sh", "-c", "trap '' INT QUIT; exec \"$@\"", "sh"] + words,
                                              stdin=other, stdout=other))
            _children[:] = [child for child in _children if child.poll() is None]
    else:
        raise Error(-69, "%r is no address: unix:/path, tcp:host:port, ssh:host or cmd:program" % address)
    return sock.detach()


class Session(_Channel):
    """A channel that connects again, resumes its session, and resends what is unanswered."""

    def __init__(self, addresses):
        self.addresses = addresses
        self.fds = -1, -1
        self.start()

    def start(self):
        """A new session on a new connection; hello goes out with the first request."""
        fd = self.dial()
        self.id = None
        self.grace = GRACE
        self.broken = False  # known to be; what is asked meanwhile is `late`
        self.ending = False
        _Channel.__init__(self, fd)
        hello = _Call("hello", self.hello())
        hello.n = 1
        hello.frame = _frame(1, hello.parts, hello.body)
        self.calls[1] = hello
        self.queue[0].append(hello.frame)

    def fork(self):
        self.hang_up()  # the parent keeps its own
        self.start()

    def hang_up(self):
        fd, self.fds = self.fds[0], (-1, -1)
        if fd >= 0:
            os.close(fd)

    def dial(self):
        """The first address that answers."""
        why = []
        for address in self.addresses:
            try:
                return dial(address)
            except OSError as error:
                why.append("%s (%s)" % (address, error.strerror or error))
        raise Error(-65, "no server answers at %s; `tiliad` starts one" % ", ".join(why))

    def hello(self):
        """The argument of hello."""
        hello = {"v": 1, "session": self.id or "new", "client": "python " + os.path.basename(sys.argv[0])}
        if self.id:
            hello["have"] = self.have()
            if "hello.attempt" in self.features:  # what comes late of a connection we gave up is refused
                self.attempt += 1
                hello["attempt"] = self.attempt
        return encode(hello)

    def have(self):
        """Every number that is finished, as ranges: an acknowledgement may have been lost."""
        calls = list(self.calls.values())
        not_yet = set(self.used) - {done.n for done in self.acks}
        not_yet.update(call.n for call in calls)
        not_yet.update(call.of.n for call in calls if call.of)
        ranges, first = [], 2
        for n in sorted(not_yet) + [self.n + 1]:
            if n > first:
                ranges.append([first, n - 1])
            first = max(first, n + 1)
        return ranges[:1024]

    def put(self, call):
        call.late = self.broken
        _Channel.put(self, call)

    def answer(self, call, reply):
        if call.op == "hello":
            self.calls.pop(1, None)
            if reply[1]:
                raise _error(*reply[1:3])
            self.welcome(reply[2])
        elif reply[1] != -14 or self.ending:  # stopping: asked again when it is back
            _Channel.answer(self, call, reply)

    def welcome(self, hello):
        self.grace = hello["grace"] / 1000
        self.features = hello.get("features", ())
        if self.id != hello["session"]:
            self.id = hello["session"]
            self.attempt = 0

    def lost(self, code, text):
        """The stream ended: resume while the session may live; else nobody waits any longer."""
        self.broken = True
        until = time.monotonic() + (min(self.grace, 5) if self.ending else self.grace)
        pause = .01
        while code in (-14, -18, -65, -66) and not (self.ending and not self.calls):
            try:
                return self.resume()
            except OSError as error:
                text = str(error)
            except Error as error:
                code, text = error.code, error.text
            if time.monotonic() > until:
                code = -65
                break
            time.sleep(random.uniform(pause / 2, pause))
            pause = min(1, pause * 2)
        _Channel.lost(self, code, text)
        with self.lock:
            self.hang_up()

    def resume(self):
        """Connects, and in this order: hello, what came before we asked, what is unanswered."""
        fd = self.dial()
        try:
            if self.id:
                try:
                    rest = self.greet(fd)
                except SessionOver:
                    self.id = None
                    os.close(fd)
                    fd = self.dial()
            if not self.id:
                self.forget()
                rest = self.greet(fd)
            self.chunks[:] = [rest]
            self.parse()
            os.set_blocking(fd, False)
            with self.lock:
                calls = [self.calls[n] for n in sorted(self.calls)]
                for call in calls:
                    call.late = False
                old = self.fds[0]
                # in one step, whatever strikes: all of the new stream, or none of it
                vars(self).update(fds=(fd, fd), broken=False, queue=([call.frame for call in calls], []))
                os.close(old)
                self.write()
        except BaseException:
            if self.fds[0] != fd:
                os.close(fd)
            raise

    def greet(self, fd):
        """Says hello on a new connection; gives the bytes that came behind the answer."""
        data = memoryview(_frame(1, 3, encode("hello") + self.hello()))
        while data:
            data = data[os.write(fd, data):]
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        got = b""
        while True:
            piece = poll.poll(1000 * PATIENCE) and os.read(fd, 65536)
            if not piece:
                raise OSError("no answer to hello")
            got += piece
            try:
                reply, at = _item(got, 0)
            except IndexError:
                continue
            reply = decode(reply)
            if reply[1]:
                raise _error(*reply[1:3])
            self.welcome(reply[2])
            return got[at:]

    def forget(self):
        """The session is over: its takes were undone, what it put is in doubt."""
        for call in list(self.calls.values()):
            if call.of:
                self.answer(call, [call.n, 0, True])
            elif call.gone or call.op == "hello":
                self.calls.pop(call.n)
            elif self.doubt(call) and not call.late:
                self.answer(call, [call.n, -68, "the session is over; whether this was done is not known"])

    def close(self):
        if self.pid == os.getpid() and not self.error:
            self.ending = True
            try:
                self.request(_Call("bye"))
            except Error:
                pass
            if self.reading.acquire(True, 1):  # nobody else is reading there
                self.error = -66, "the space was closed"
                self.hang_up()

    def undo(self):
        """Gives back what was taken and not acknowledged: the program did not finish it."""
        numbers = list(self.used)
        self.used.clear()
        self.acks.clear()
        for n in numbers:
            cancel = _Call("cancel", encode(n))
            cancel.of = _Call("in")
            cancel.of.n = n
            self.put(cancel)


_lock = _thread.allocate_lock()
_sessions = {}
_children = []  # of ssh: and cmd:


def connect(address=None):
    """The connection to that address (or list, or $TILIA, or the user's own server)."""
    text = address or os.environ.get("TILIA") or default()
    with _lock:
        session = _sessions.get(text)
        if not session or session.error:
            session = _sessions[text] = Session(split(text))
    return session


@atexit.register
def _end():
    """An end by an unhandled exception gives the last take back; any other says bye to all."""
    failed = getattr(sys, "last_type", None) and not hasattr(sys, "ps1")
    for session in _sessions.values():
        if session.pid == os.getpid() and not session.error:
            if failed:
                try:
                    session.undo()
                except Error:
                    pass
            session.close()
