"""A small server in Python for the tests of the client: sessions, outcomes, resume, cancel.

It breaks connections where it is told to (`cut`), holds the client to the protocol (numbers
that rise, no double use; what is wrong is in .wrong), and remembers what was taken for good.
"""
import os
import random
import socket
import tempfile
import threading

import harness
import tilia


def matches(template, value):
    if template is None:
        return True
    if isinstance(template, tilia.Tag) and template.number == 21580:
        kinds = {"int": int, "text": str, "float": float, "bytes": bytes, "array": list, "map": dict,
                 "bool": bool, "null": type(None)}
        return template.value is None or type(value) is kinds.get(template.value)
    if isinstance(template, list):
        return isinstance(value, list) and len(template) == len(value) and all(map(matches, template, value))
    return tilia.encode(template) == tilia.encode(value)


class Session:
    def __init__(self):
        self.id = os.urandom(16)
        self.outcomes = {}  # n: (result, taken)
        self.seen = set()
        self.taken = {}  # n: tuples of takes that were acknowledged
        self.over = False
        self.attempt = 0


class Connection:
    def __init__(self, sock, session=None):
        self.sock = sock
        self.session = session
        self.last = 1
        self.first = True


class Cut(Exception):
    pass


class Server:
    def __init__(self, seed=0, cut=0.0):
        self.lock = threading.RLock()
        self.bag = []  # (id, tuple), ascending
        self.next = 1
        self.sessions = {}
        self.waiting = []  # (connection, n, template, op)
        self.wrong = []
        self.random = random.Random(seed)
        self.cut = cut  # how likely a break is at each message and at each reply
        self.cuts = 0
        self.hello = 0
        self.late = 0
        self.ops = []  # every op that came
        self.on = {}  # op: called with (connection, message) before it is done
        self.connections = []
        self.listener = None

    # streams

    def listen(self, path=None):
        self.path = path or os.path.join(tempfile.mkdtemp(dir=harness.folder()), "s")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path + "~")
        self.listener.listen(64)
        os.rename(self.path + "~", self.path)
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()
        return "unix:" + self.path

    def accept(self, listener):
        while True:
            try:
                self.serve(listener.accept()[0])
            except OSError:
                return

    def stop(self):
        """Nobody is heard any more; what is known stays."""
        os.unlink(self.path)
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.break_all()

    def break_all(self):
        with self.lock:
            for connection in self.connections:
                try:
                    connection.sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def serve(self, sock, session=None):
        connection = Connection(sock, session)
        if session:
            self.sessions[session.id] = session
        with self.lock:
            self.connections.append(connection)
        threading.Thread(target=self.run, args=(connection,), daemon=True).start()
        return connection

    def run(self, connection):
        data = b""
        try:
            while True:
                piece = connection.sock.recv(65536)
                if not piece:
                    break
                data += piece
                while True:
                    try:
                        message, at = tilia._item(data, 0)
                    except IndexError:
                        break
                    data = data[at:]
                    with self.lock:
                        self.maybe_cut()
                        self.message(connection, tilia.decode(message))
        except (Cut, OSError):
            pass
        except Exception as error:  # seen by check()
            self.wrong.append(repr(error))
        with self.lock:
            self.waiting = [w for w in self.waiting if w[0] is not connection]
            self.connections.remove(connection)
        try:
            connection.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        connection.sock.close()

    def maybe_cut(self):
        if self.random.random() < self.cut:
            self.cuts += 1
            raise Cut

    def send(self, connection, *message):
        data = tilia.encode(tilia.encode(list(message)))
        if self.random.random() < self.cut:
            self.cuts += 1
            try:
                connection.sock.sendall(data[:self.random.randrange(len(data) + 1)])
                connection.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            return
        try:
            connection.sock.sendall(data)
        except OSError:
            pass

    # requests

    def message(self, connection, message):
        n, op = message[:2]
        self.ops.append(op)
        if op in self.on:
            self.on[op](connection, message)
        session = connection.session
        if op == "hello":
            return self.do_hello(connection, n, message[2])
        if n and n <= connection.last:
            self.wrong.append("number %d after %d" % (n, connection.last))
        connection.last = max(n, connection.last)
        connection.first = False
        if op == "ack":
            return self.ack(session, message[2:])
        if n in session.outcomes:
            return self.send(connection, n, 0, session.outcomes[n][0])
        if n in session.taken:
            self.wrong.append("%d came again after its acknowledgement" % n)
        session.seen.add(n)
        getattr(self, "do_" + op)(connection, session, n, *message[2:])

    def do_hello(self, connection, n, options):
        self.hello += 1
        if not connection.first:
            self.wrong.append("hello is not the first")
        connection.first = False
        session = options["session"]
        if session == "new":
            session = Session()
            self.sessions[session.id] = session
        else:
            session = self.sessions.get(session)
            if not session or session.over:
                self.send(connection, n, -9, "the session is over")
                raise Cut
            if options["attempt"] <= session.attempt:
                self.late += 1  # it was given up for a newer one, which came first
                self.send(connection, n, -10, "a newer connection resumed this session")
                raise Cut
            session.attempt = options["attempt"]
            self.ack(session, options["have"])
            for other in self.connections:
                if other.session is session and other is not connection:
                    self.waiting = [w for w in self.waiting if w[0] is not other]
                    other.sock.shutdown(socket.SHUT_RDWR)
        connection.session = session
        self.send(connection, n, 0, {"v": 1, "session": session.id, "grace": 60000, "boot": 1,
                                       "features": ["hello.attempt"]})

    def ack(self, session, entries):
        for entry in entries:
            first, last = entry if isinstance(entry, list) else (entry, entry)
            for n in [n for n in session.outcomes if first <= n <= last]:
                session.taken[n] = session.outcomes.pop(n)[1]

    def end(self, session):
        """The grace is over."""
        with self.lock:
            session.over = True
            for n in list(session.outcomes):
                self.put_back(session.outcomes.pop(n)[1])

    def put_back(self, rows):
        self.bag += [tuple(row) for row in rows]
        self.bag.sort()
        self.awake()

    def put(self, fields):
        self.bag.append((self.next, fields))
        self.next += 1
        return self.next - 1

    def awake(self):
        for waiter in list(self.waiting):
            if waiter in self.waiting:
                self.try_take(*waiter)

    def try_take(self, connection, n, template, op):
        for row in self.bag:
            if matches(template, row[1]):
                if op == "in":
                    self.bag.remove(row)
                    connection.session.outcomes[n] = [[row[0], row[1]]], [row]
                self.waiting = [w for w in self.waiting if w[:2] != (connection, n)]
                self.send(connection, n, 0, [[row[0], row[1]]])
                return True
        return False

    def do_out(self, connection, session, n, space, fields, *options):
        session.outcomes[n] = self.put(fields), []
        self.send(connection, n, 0, session.outcomes[n][0])
        self.awake()

    def do_outs(self, connection, session, n, space, many, *options):
        session.outcomes[n] = [self.put(fields) for fields in many], []
        self.send(connection, n, 0, session.outcomes[n][0])
        self.awake()

    def do_in(self, connection, session, n, space, template, options=None, op="in"):
        if not self.try_take(connection, n, template, op):
            if (options or {}).get("timeout") == 0:
                self.send(connection, n, 0, [])
            else:
                self.waiting.append((connection, n, template, op))

    def do_rd(self, connection, session, n, space, template, options=None):
        self.do_in(connection, session, n, space, template, options, "rd")

    def do_count(self, connection, session, n, space, template):
        self.send(connection, n, 0, sum(matches(template, row[1]) for row in self.bag))

    def do_cancel(self, connection, session, n, m):
        if any(w[:2] == (connection, m) for w in self.waiting):
            self.waiting = [w for w in self.waiting if w[:2] != (connection, m)]
            self.send(connection, m, -13, "cancelled")
            return self.send(connection, n, 0, True)
        if m in session.outcomes and session.outcomes[m][1]:
            self.put_back(session.outcomes.pop(m)[1])
            return self.send(connection, n, 0, True)
        self.send(connection, n, 0, m not in session.seen)

    def do_ping(self, connection, session, n):
        self.send(connection, n, 0, None)

    def do_echo(self, connection, session, n, *args):
        self.send(connection, n, 0, list(args))

    do_space = do_stats = do_echo

    def do_bye(self, connection, session, n):
        self.ack(session, [[1, n]])
        session.over = True
        self.send(connection, n, 0, None)
        raise Cut

    def check(self):
        assert not self.wrong, self.wrong
