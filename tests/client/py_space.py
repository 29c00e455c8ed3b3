#!/usr/bin/python3
"""Space over one channel, as in a worker: a scripted server at the other end of a pair."""
import os
import random
import signal
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness
import tilia
from py_server import Server, Session


def pair(server=None):
    """A Space, its server, and the server's side of the connection."""
    server = server or Server()
    ours, theirs = socket.socketpair()
    connection = server.serve(theirs, Session())
    tilia._attach(ours.detach())
    return tilia.space(), server, connection


def end(space, server):
    os.close(space.channel.fds[0])
    server.check()


def raises(kind, run, *args, **options):
    try:
        value = run(*args, **options)
    except kind as error:
        return error
    raise AssertionError("%s gave %r" % (kind, value))


def test_operations():
    space, server, _ = pair()
    assert space.out("job", 17, "a.png") == 1
    assert space.outs([("job", 18), ["x"]]) == [2, 3]
    assert space.count("job", int) == 1 and space.count() == 3
    got = space.rd("job", int, str)
    assert got == ("job", 17, "a.png") and got.id == 1 and type(got) is tilia.Tuple
    assert space.in_("job", int, ...) == ("job", 17, "a.png")
    assert space.inp("job", int, ...) is None and space.rdp("job", 1.0) is None
    assert space.inp("job", int) == ("job", 18)
    assert space.in_(template=None).id == 3 and space.inp(template=None) is None
    assert space.out() == 4 and space.inp(template=()) == () and space.inp(template=()) is None
    assert space.out([1, {"k": b"x"}], None) == 5
    nested = space.inp(list, None)
    assert nested == ([1, {"k": b"x"}], None) and type(nested[0]) is list
    end(space, server)


def test_options():
    """What goes over the wire."""
    server = Server()
    seen = []
    for op in "in", "rd", "out", "space", "stats", "count":
        server.on[op] = lambda connection, message: seen.append(message[1:])
    space, server, _ = pair(server)
    space.out("a")
    space.out("b")
    assert space.in_("a", max=5, timeout=1.5) == [("a",)]
    assert space.rd(template=None, after=1, timeout=None) == ("b",)
    assert space.inp("c", max=2) == []
    assert space.use("other").rdp(..., tilia.number) is None
    space.use("other").create(volatile=True)
    space.use("other").drop()
    space.list()
    space.stats("spaces")
    any_ = tilia.Tag(21580, None)
    assert seen[2:] == [
        ["in", "main", ["a"], {"max": 5, "timeout": 1500}], ["rd", "main", None, {"after": 1}],
        ["in", "main", ["c"], {"max": 2, "timeout": 0}],
        ["rd", "other", [any_, tilia.Tag(21580, "number")], {"timeout": 0}],
        ["space", "create", "other", {"volatile": True}], ["space", "drop", "other"], ["space", "list"],
        ["stats", "spaces"]], seen
    end(space, server)


def test_options_of_statements():
    """What goes over the wire of wait, atomic, alter, and of what is put."""
    server = Server()
    seen = []

    def answer(value):
        def do(connection, session, n, *rest):
            seen.append(list(rest))
            server.send(connection, n, 0, value)
        return do

    server.do_wait, server.do_space, server.do_out = answer(3), answer(None), answer(None)
    server.do_atomic = answer([[[7, ["counter", 41]], None], [8, 9]])
    space, server, _ = pair(server)
    assert space.wait("done", int, ge=3) == 3
    assert space.wait_none(timeout=1.5, hidden=False) == 3
    space.alter(tries=0, shape=False, tuples=5)
    space.create(shape=("job", int), dead="d")
    assert space.out("x", unless=("job", int), ttl=.25, delay=2, bound=True, wait=True, hidden=False) is None
    with space.atomic(timeout=2) as step:
        job = step.in_("counter", int)
        assert raises(TypeError, list, job)
        step.no(template=None, space="s", hidden=False)
        step.out("counter", job[1] + 1, [job[0], job[1] - 2 + 1, 5 + job[1]])
        step.out("x", ttl=1, delay=.5, bound=True, space="s")
        assert raises(tilia.Error, step.rd, "x").word == raises(tilia.Error, step.no).word == "usage"
    assert job[1] == 41 and job.tuple.id == 7 and step.ids == [8, 9] and list(job) == ["counter", 41]
    assert raises(tilia.Error, step.run).word == "usage"
    tag = tilia.Tag
    any_int = tag(21580, "int")
    assert seen == [
        ["main", ["done", any_int], ["ge", 3]], ["main", None, ["eq", 0], {"hidden": False, "timeout": 1500}],
        ["alter", "main", {"tries": 0, "shape": None, "tuples": 5}],
        ["create", "main", {"shape": ["job", any_int], "dead": "d"}],
        ["main", ["x"], {"unless": ["job", any_int], "ttl": 250, "delay": 2000, "bound": True, "wait": True,
                         "hidden": False}],
        [[["in", "main", ["counter", any_int]], ["no", "s", None, {"hidden": False}],
          ["out", "main", ["counter", tag(21581, [0, 1, 1]),
                           [tag(21581, [0, 0]), tag(21581, [0, 1, -1]), tag(21581, [0, 1, 5])]]],
          ["out", "s", ["x"], {"ttl": 1000, "delay": 500, "bound": True}]], {"timeout": 2000}]], seen
    server.do_atomic = answer(None)
    step = space.atomic(timeout=0)
    step.no("x")
    assert step.run() is None and step.ids is None
    step = space.atomic(timeout=.5)
    step.rd("x")
    raises(tilia.Timeout, step.run)
    try:
        with space.atomic() as step:
            step.out("x")
            raise KeyError
    except KeyError:
        pass
    assert len(seen) == 8, seen
    end(space, server)


def test_timeout():
    space, server, connection = pair()
    server.on["in"] = lambda c, message: server.send(c, message[0], 0, [])
    server.do_in = lambda *args: None
    error = raises(tilia.Timeout, space.in_, "x", timeout=.25)
    assert error.word == "timeout" and error.code == -67 and "0.25" in str(error)
    raises(tilia.Timeout, space.in_, "x", timeout=.25, max=3)
    end(space, server)


def test_errors():
    space, server, connection = pair()
    server.do_count = lambda c, session, n, *rest: server.send(c, n, -5, 'count: no space "main"')
    error = raises(tilia.Error, space.count, "x")
    assert (error.code, error.word, str(error)) == (-5, "no-space", 'count: no space "main"')
    raises(tilia.Error, space.out, "job", {1})
    assert space.out("still", "works") == 1
    raises(TypeError, space.out, timeout="x")
    for run in space.in_, space.rd, space.inp, space.rdp:  # an empty list must not take everything
        assert raises(tilia.Error, run, *[]).word == "usage"
    end(space, server)


def test_end_of_stream():
    """Everybody who waits hears of it, and everybody who comes later."""
    space, server, connection = pair()
    found = []

    def wait(run):
        found.append(raises(tilia.Error, run, "x"))

    server.do_out = lambda *args: None
    threads = [threading.Thread(target=wait, args=(run,)) for run in (space.in_, space.rd, space.out)]
    for thread in threads:
        thread.start()
    harness.until(lambda: len(server.waiting) == 2 and "out" in server.ops, "all wait")
    server.break_all()
    for thread in threads:
        thread.join()
    assert sorted(error.word for error in found) == ["closed", "closed", "unknown"], found
    assert {type(error) for error in found} == {tilia.Error, tilia.Unknown}
    assert raises(tilia.Error, space.in_, "x").word == "closed"


def test_nonsense():
    """A server that does not speak the protocol: an error, for good."""
    for data in b"HTTP/1.1 200 OK\r\n", b"\x41\x00", b"\x44\x83\x02\x00", b"\x41\x80", b"\x5f\x41\x00\xff", b"\x41\xff":
        space, server, connection = pair()
        server.do_in = lambda c, *args: c.sock.sendall(data + b"\x41\x00")
        error = raises(tilia.Error, space.in_, "x")
        assert error.word in ("malformed", "closed"), (data, error)
        raises(tilia.Error, space.out, "x")


def test_zero():
    """An error without a request ends the channel with its code."""
    space, server, connection = pair()
    server.do_in = lambda c, *args: server.send(c, 0, -10, "another connection resumed this session")
    assert raises(tilia.Error, space.in_, "x").word == "taken-over"
    assert raises(tilia.Error, space.rd, "x").word == "taken-over"


def test_pieces():
    """Replies in any pieces, large ones included; and large requests."""
    r = random.Random(harness.SEED)
    space, server, connection = pair()
    big = os.urandom(300000)

    def send(c, *message):
        data = tilia.encode(tilia.encode(list(message)))
        while data:
            size = r.choice([1, 2, 3, 1000, 100000])
            c.sock.sendall(data[:size])
            data = data[size:]

    server.send = send
    for i in range(60):
        assert space.out("big", i, big[:r.randrange(300000)])
    for i in range(60):
        assert space.in_("big", i, bytes)[1] == i
    end(space, server)


def test_acknowledged():
    """In front of the next request, and not before; only what changed something."""
    space, server, connection = pair()
    session = connection.session
    space.out("a")
    assert len(session.outcomes) == 1 and "ack" not in server.ops
    space.in_("a")
    assert server.ops == ["out", "ack", "in"] and len(session.outcomes) == 1
    space.rdp("a")
    space.rdp("a")
    assert server.ops == ["out", "ack", "in", "ack", "rd", "rd"] and not session.outcomes
    end(space, server)


def test_threads():
    """Eight threads on one Space: each gets its own."""
    space, server, connection = pair()
    found = []

    def work(k):
        for i in range(200):
            space.out(k, i, "ask")
            found.append(space.in_(k, i, str))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 1600 and len(set(found)) == 1600 and not server.bag
    assert space.inp(template=None) is None and len(connection.session.outcomes) == 0
    assert not space.channel.calls and len(space.channel.used) == 1  # that of inp
    end(space, server)


def test_hand_over():
    """A thread that reads for all leaves; the others go on; a request gets out while one reads."""
    space, server, connection = pair()
    found = []
    threads = []
    for k in range(6):
        threads.append(threading.Thread(target=lambda k=k: found.append(space.in_("t", k))))
        threads[-1].start()
        harness.until(lambda: len(server.waiting) == k + 1, "it waits")
    started = time.monotonic()
    for k in range(6):  # the first to come reads: each in turn is answered and hands over
        space.out("t", k)
        threads[k].join()
    assert [row[1] for row in found] == list(range(6))
    assert time.monotonic() - started < 3
    end(space, server)


def test_full_pipe():
    """A server that does not read for a while: writers wait, nothing is lost."""
    space, server, connection = pair()
    server.on["ping"] = lambda *args: time.sleep(.3)
    threads = [threading.Thread(target=space.channel.request, args=(tilia._Call("ping"),))]
    threads += [threading.Thread(target=space.out, args=(k, os.urandom(200000))) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(row[1][0] for row in server.bag) == list(range(8))
    end(space, server)


def test_out_many():
    space, server, connection = pair()
    assert space.out_many(("row", i) for i in range(2500)) == 2500
    assert space.out_many([]) == 0
    assert [row[1] for row in server.bag] == [["row", i] for i in range(2500)]
    assert server.ops.count("outs") < 10
    server.ops.clear()
    assert space.out_many((b"x" * 50000, i) for i in range(5)) == 5
    assert server.ops.count("outs") == 5
    end(space, server)


def test_fork():
    """In a forked child: a clear error, or a channel of its own."""
    space, server, connection = pair()
    space.out("before")

    def child(run):
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                status = run()
            finally:
                os._exit(status)
        assert os.waitpid(pid, 0)[1] == 0

    def refused():
        error = raises(tilia.Error, space.out, "x")
        return "belongs to process %d" % os.getppid() not in str(error)

    child(refused)
    ours, theirs = socket.socketpair()
    server.serve(theirs, Session())
    tilia._fork = lambda channel: ours.fileno()
    child(lambda: space.in_("before") != ("before",) or space.use("other").out("from the child") != 2)
    tilia._fork = None
    assert space.in_("from the child").id == 2
    end(space, server)


class Strike:
    """Raises KeyboardInterrupt before the k-th line that the client runs in this thread.

    Not where Python lets no signal in: between a lock's taking and its block, at the leaving
    of a `with` (which has the line of its beginning), and at the two first lines of a `finally`.
    """

    def __init__(self, k):
        self.left = k

    def __enter__(self):
        self.old = sys.gettrace()
        sys.settrace(self.call)
        return self

    def __exit__(self, *error):
        sys.settrace(self.old)

    def call(self, frame, event, arg):
        return self.line if frame.f_code.co_filename.endswith(("tilia/__init__.py", "tilia/_net.py")) else None

    def line(self, frame, event, arg):
        import linecache
        if event == "line" and self.left > 0:
            near = [linecache.getline(frame.f_code.co_filename, frame.f_lineno - i).strip() for i in range(3)]
            if not near[0].startswith("with ") and "finally:" not in near:
                self.left -= 1
                if self.left == 0:
                    raise KeyboardInterrupt
        return self.line


def struck(run, k):
    """Whether the k-th line came, and what run() gave."""
    got = None
    strike = Strike(k)
    try:
        with strike:
            got = run()
    except KeyboardInterrupt:
        pass
    return strike.left == 0, got


def test_interrupt_everywhere():
    """Ctrl-C at every line of a take of what is there: it is back in its place, or here."""
    k, hit = 0, True
    while hit:
        k += 1
        space, server, connection = pair()
        first = space.out("job", 1)
        space.out("job", 2)
        hit, got = struck(lambda: space.in_("job", int), k)
        assert space.count() == (2 if got is None else 1), (k, got)  # after the cancel, on the same channel
        assert server.bag[0][0] == first + (got is not None), "its place"
        space.count()
        assert not connection.session.outcomes, k
        end(space, server)
    assert k > 100, k


def test_interrupt_waiting():
    """Ctrl-C at every line of a take that waits, while another puts."""
    k, hit = 0, True
    while hit:
        k += 1
        space, server, connection = pair()
        asked, done = threading.Event(), threading.Event()

        def late():
            with server.lock:
                server.put(["late"])
                server.awake()
            done.set()

        def ask(*args):
            asked.set()
            threading.Timer(.001, late).start()

        server.on["in"] = ask
        hit, got = struck(lambda: space.in_("late"), k)
        space.count()
        if asked.is_set():
            assert done.wait(10)
            assert space.count("late") == (got is None), (k, got)
        space.count()
        assert not connection.session.outcomes, k
        end(space, server)
    assert k > 100, k


def test_interrupt_signals():
    """The same by real signals at random moments, with other threads on the same Space."""
    r = random.Random(harness.SEED)
    space, server, connection = pair()
    stop = []

    def others(k):
        while not stop:
            space.out(k, "x")
            space.in_(k, str)

    threads = [threading.Thread(target=others, args=(k,)) for k in range(2)]
    for thread in threads:
        thread.start()
    got, interrupts = [], 0
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    total = 300
    with server.lock:
        for i in range(total):
            server.put(["job", i])
    while len(got) < total:
        try:
            try:
                signal.setitimer(signal.ITIMER_REAL, 10 ** -r.uniform(2.5, 4.5))
                got.append(space.in_("job", int))
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        except KeyboardInterrupt:
            interrupts += 1
    stop.append(1)
    for thread in threads:
        thread.join()
    numbers = [row[1] for row in got]
    assert sorted(numbers) == list(range(total)), (len(numbers), len(set(numbers)))
    assert interrupts > 5, interrupts
    end(space, server)


def test_interrupt_out():
    """An interrupted out was put once or not at all, and the channel goes on."""
    k, hit = 0, True
    while hit:
        k += 1
        space, server, connection = pair()
        hit, got = struck(lambda: space.out("x", k), k)
        assert space.count() in ((1,) if got else (0, 1))
        end(space, server)
    assert k > 50, k


def test_help():
    """Every public name says what it is."""
    import pydoc
    text = pydoc.plain(pydoc.render_doc(tilia.Space))
    for name in "out outs out_many in_ rd inp rdp count create drop list stats use close".split():
        assert getattr(tilia.Space, name).__doc__, name
        assert name in text
    assert tilia.space.__doc__ and tilia.__doc__


harness.main()
