#!/usr/bin/python3
"""A script by itself: addresses, the session over connections that break, the end."""
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness
import tilia
from tilia import _net
from py_server import Server


def raises(kind, run, *args, **options):
    try:
        value = run(*args, **options)
    except kind as error:
        return error
    raise AssertionError("%s gave %r" % (kind, value))


def script(text, *args, **environment):
    """Runs a Python program with the client in its path."""
    env = dict(os.environ, PYTHONPATH=os.path.join(harness.ROOT, "libclient", "python"), **environment)
    return subprocess.run([sys.executable, "-c", text, *args], env=env, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, universal_newlines=True, timeout=60)


def test_hello():
    """One hello, in the same write as the first request; bye ends the session."""
    server = Server()
    with tilia.space(address=server.listen()) as space:
        assert server.hello == 0
        assert space.out("a") == 1 and space.in_("a").id == 1
        session, = server.sessions.values()
        assert server.hello == 1 and not session.over
    assert session.over and server.ops == ["hello", "out", "ack", "in", "ack", "bye"], server.ops
    assert raises(tilia.Error, space.out, "b").word == "closed"
    with tilia.space(address="unix:" + server.path) as space:
        assert space.count() == 0
    server.check()


def test_shared():
    """Spaces of one address share a connection."""
    server = Server()
    address = server.listen()
    a, b = tilia.space(address=address), tilia.space("other", address)
    assert a.channel is b.channel and b.name == "other"
    a.out("x")
    b.close()
    server.check()


def test_nobody():
    folder = tempfile.mkdtemp(dir=harness.folder())
    error = raises(tilia.Error, tilia.space, address="unix:%s/none,tcp:127.0.0.1:1" % folder)
    assert error.word == "connect" and "/none" in str(error) and "tcp:127.0.0.1:1" in str(error)
    assert raises(tilia.Error, tilia.space, address="http://x").word == "usage"
    server = Server()
    with tilia.space(address="unix:%s/none,%s" % (folder, server.listen())) as space:
        assert space.out("second in the list") == 1


def test_addresses():
    assert _net.split("unix:/a,tcp:h:1,cmd:p a,b") == ["unix:/a", "tcp:h:1", "cmd:p a,b"]
    assert _net.split("unix:/a") == ["unix:/a"]
    server = Server()
    server.listen()
    tcp = socket.socket()
    tcp.bind(("127.0.0.1", 0))
    tcp.listen(8)
    threading.Thread(target=server.accept, args=(tcp,), daemon=True).start()
    with tilia.space(address="tcp:127.0.0.1:%d" % tcp.getsockname()[1]) as space:
        assert space.out("tcp") == 1
        fd = space.channel.fds[0]
        with socket.socket(fileno=os.dup(fd)) as sock:
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 30000
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    relay = os.path.join(harness.folder(), "relay.py")
    with open(relay, "w") as file:
        file.write("""import os, socket, sys, threading
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
def copy(a, b):
    while True:
        d = os.read(a, 65536)
        if not d: os._exit(0)
        os.write(b, d)
threading.Thread(target=copy, args=(0, s.fileno())).start()
copy(s.fileno(), 1)
""")
    with tilia.space(address="cmd:%s %s %s" % (sys.executable, relay, server.path)) as space:
        assert space.in_("tcp").id == 1
    server.check()


def test_environment():
    """$TILIA, and the default in a folder of one's own."""
    server = Server()
    address = server.listen()
    run = "import tilia; print(tilia.space().count())"
    got = script(run, TILIA="unix:/nowhere," + address)
    assert got.stdout == "0\n", got.stderr
    folder = tempfile.mkdtemp(dir=harness.folder())
    server = Server()
    server.listen(os.path.join(folder, "tilia.sock"))
    got = script(run, TILIA="", XDG_RUNTIME_DIR=folder)
    assert got.stdout == "0\n", got.stderr


def broken(seed, threads, rounds, cut=.03):
    """Puts and takes over connections that break anywhere: each put is taken once, in the end."""
    server = Server(seed, cut)
    space = tilia.space(address=server.listen())
    got, unknown = [], []

    def work(k):
        for i in range(rounds):
            try:
                space.out("job", k * rounds + i)
            except tilia.Unknown:  # the connection broke before the session was known
                unknown.append(k * rounds + i)
            if i % 3:
                got.append(space.in_("job", int)[1])
            if i % 10 == 0:
                space.rdp("job", int)

    workers = [threading.Thread(target=work, args=(k,)) for k in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    while True:
        row = space.inp("job", int)
        if row is None:
            break
        got.append(row[1])
    cuts = server.cuts
    server.cut = 0
    space.close()
    server.check()
    assert len(got) == len(set(got)), "twice"
    missing = set(range(threads * rounds)) - set(got)
    assert missing <= set(unknown), (missing, unknown)
    return cuts


def test_broken():
    total = sum(broken(harness.SEED + i, 1, 60) for i in range(5))
    assert total > 20, total


def test_broken_threads():
    total = sum(broken(harness.SEED + 100 + i, 6, 40) for i in range(4))
    assert total > 20, total


def test_restart():
    """The server goes and comes back: who waits goes on waiting, and is served."""
    server = Server()
    space = tilia.space(address=server.listen())
    space.out("a")
    got = []
    threads = [threading.Thread(target=lambda k=k: got.append(space.in_("b", k))) for k in range(4)]
    for thread in threads:
        thread.start()
    harness.until(lambda: len(server.waiting) == 4, "all wait")
    server.stop()
    harness.until(lambda: not server.waiting, "it is gone")
    time.sleep(.05)
    server.listen(server.path)
    harness.until(lambda: len(server.waiting) == 4, "all wait again")
    for k in range(4):
        space.out("b", k)
    for thread in threads:
        thread.join()
    assert sorted(row[1] for row in got) == [0, 1, 2, 3]
    assert len(server.sessions) == 1
    space.close()
    server.check()


def test_stopping():
    """A server that says it is stopping is waited for."""
    server = Server()
    space = tilia.space(address=server.listen())
    space.out("a")

    def stop(connection, message):
        server.on.clear()
        server.send(connection, message[0], -14, "the server is stopping")
        connection.sock.shutdown(socket.SHUT_RDWR)
        raise OSError

    server.on["in"] = stop
    assert space.in_("a").id == 1
    assert server.ops.count("in") == 2 and server.hello == 2
    space.close()
    server.check()


def lose(server, op, tell=None):
    """The next `op` is executed, and the connection breaks before its reply."""
    do = getattr(server, "do_" + op)

    def once(connection, session, n, *args):
        delattr(server, "do_" + op)
        send, server.send = server.send, lambda *args: None
        try:
            do(connection, session, n, *args)
        finally:
            server.send = send
        if tell:
            tell(session)
        connection.sock.shutdown(socket.SHUT_RDWR)
        raise OSError

    setattr(server, "do_" + op, once)


def test_reply_lost():
    """What was done and not answered is answered at the resume, and not done twice."""
    server = Server()
    space = tilia.space(address=server.listen())
    space.ping = lambda: space.channel.request(tilia._Call("ping"))
    space.ping()
    lose(server, "out")
    assert space.out("a") == 1 and len(server.bag) == 1
    lose(server, "in")
    assert space.in_("a").id == 1 and not server.bag
    lose(server, "outs")
    assert space.outs([["a"], ["b"]]) == [2, 3] and len(server.bag) == 2
    lose(server, "count")
    assert space.count() == 2
    space.close()
    server.check()
    assert server.hello == 5, server.hello


def test_session_over():
    """The grace was over: reads and takes are asked again, a put is in doubt."""
    for op, ask, kind in (("in", lambda s: s.in_("a"), None), ("rd", lambda s: s.rd("a"), None),
                          ("out", lambda s: s.out("b"), tilia.Unknown), ("outs", lambda s: s.outs([["b"]]), tilia.Unknown)):
        server = Server()
        space = tilia.space(address=server.listen())
        assert space.out("a") == 1
        lose(server, op, server.end)
        if kind:
            error = raises(kind, ask, space)
            assert error.word == "unknown" and "not known" in str(error)
            assert any(row[1] == ["b"] for row in server.bag)
        else:
            assert ask(space).id == 1
        assert space.out("goes on") > 1 and len(server.sessions) == 2
        space.close()
        server.check()


def test_asked_while_broken():
    """What was asked while there was no connection was not done: it is no doubt."""
    server = Server()
    space = tilia.space(address=server.listen())
    space.out("a")
    got = []
    waiting = threading.Thread(target=lambda: got.append(space.in_("late")))
    waiting.start()
    harness.until(lambda: server.waiting, "it waits")
    server.stop()
    harness.until(lambda: space.channel.broken, "it is noticed")
    putting = threading.Thread(target=lambda: got.append(space.out("late")))
    putting.start()
    harness.until(lambda: len(space.channel.calls) == 2, "it is asked")
    for session in list(server.sessions.values()):
        server.end(session)
    server.listen(server.path)
    putting.join()
    waiting.join()
    assert len(got) == 2, got
    space.close()
    server.check()


def test_taken_over():
    server = Server()
    space = tilia.space(address=server.listen())
    server.do_in = lambda c, *args: server.send(c, 0, -10, "another connection resumed this session")
    assert raises(tilia.Error, space.in_, "x").word == "taken-over"
    assert raises(tilia.Error, space.out, "x").word == "taken-over"
    assert server.hello == 1
    assert tilia.space(address="unix:" + server.path).channel is not space.channel


def test_hello_refused():
    server = Server()
    server.do_hello = lambda c, n, options: server.send(c, n, -15, "version 1 is not spoken here")
    space = tilia.space(address=server.listen())
    assert raises(tilia.Error, space.count).word == "version"


def test_patience():
    """No server for longer than the grace: an error for all who share the connection; a new
    space begins a new session when there is a server again."""
    server = Server()
    space = tilia.space(address=server.listen())
    space.out("a")
    space.channel.grace = .3
    path = server.path
    server.stop()
    error = raises(tilia.Error, space.in_, "a")
    assert error.word == "connect", error.word
    assert raises(tilia.Error, space.in_, "a").word == "connect"
    server.listen(path)
    assert raises(tilia.Error, space.in_, "a").word == "connect"
    space = tilia.space(address="unix:" + path)
    assert space.in_("a").id == 1
    space.close()
    server.check()


def test_acknowledgement_lost():
    """A resume names all that is finished, so a take that was acknowledged stays taken."""
    server = Server()
    space = tilia.space(address=server.listen())
    space.out("a")
    space.in_("a")
    ack, server.ack = server.ack, lambda *args: None  # lost in a crash
    space.rdp("a")
    server.ack = ack
    session, = server.sessions.values()
    assert session.outcomes
    server.break_all()
    space.rdp("a")
    assert not session.outcomes
    server.end(session)
    assert space.count() == 0
    space.close()
    server.check()


def test_numbers_had():
    """What a resume says of its numbers: all finished ones, none of the others."""
    server = Server()
    space = tilia.space(address=server.listen())
    channel = space.channel
    for i in range(10):
        space.out(i)
    assert channel.have() == [[2, 11]]
    call = tilia._Call("in", tilia.encode("main"), tilia.encode(["x"]))
    channel.put(call)
    assert channel.have() == [[2, 11]]
    space.rdp("y")
    assert channel.have() == [[2, 11], [13, 13]]
    channel.cancel(call)
    assert channel.have() == [[2, 11], [13, 13]]
    space.rdp("y")
    assert channel.have() == [[2, 15]], channel.have()
    space.close()
    server.check()


def test_end_says_bye():
    server = Server()
    got = script("import tilia; s = tilia.space(); s.out('a'); print(s.in_('a'))", TILIA=server.listen())
    assert got.stdout == "('a',)\n", got.stderr
    session, = server.sessions.values()
    assert session.over and not server.bag and "bye" in server.ops
    server.check()


def test_end_by_exception():
    """Who dies of an exception did not finish its last take: it is back; earlier ones are not."""
    server = Server()
    got = script("import tilia; s = tilia.space(); s.out('a'); s.out('b'); s.in_('a'); s.in_('b'); 1 / 0",
                 TILIA=server.listen())
    assert "ZeroDivisionError" in got.stderr
    session, = server.sessions.values()
    assert session.over and server.bag == [(2, ["b"])], server.bag
    server.check()


def test_killed():
    """kill -9: the last take is back when the grace is over."""
    server = Server()
    got = script("import os, tilia; s = tilia.space(); s.out('a'); s.in_('a'); os.kill(os.getpid(), 9)",
                 TILIA=server.listen())
    assert got.returncode == -9
    session, = server.sessions.values()
    harness.until(lambda: not server.connections, "it is gone")
    assert not session.over and not server.bag
    server.end(session)
    assert server.bag == [(1, ["a"])]
    server.check()


def test_fork():
    """A forked child has a session of its own; the parent's goes on."""
    server = Server()
    got = script("""
import os, tilia, multiprocessing
s = tilia.space()
s.out("a")
pid = os.fork()
if pid == 0:
    s.out("child", os.getpid() != os.getppid())
    raise SystemExit(3)
assert os.waitpid(pid, 0)[1] == 3 << 8
assert s.in_("child", bool)
def work(i):
    s.out("pool", i)
    return s.in_("pool", i)[1]
with multiprocessing.get_context("fork").Pool(3) as pool:
    assert pool.map(work, range(20)) == list(range(20))
s.out("end")
print(s.count())
""", TILIA=server.listen())
    assert got.stdout == "2\n", got.stderr
    assert 3 <= len(server.sessions) <= 5
    server.check()


def test_ctrl_c():
    """Ctrl-C while the server is away, and while waiting: the script goes on, nothing is lost."""
    server = Server()
    space = tilia.space(address=server.listen())
    space.out("a")
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    path = server.path
    server.stop()
    signal.setitimer(signal.ITIMER_REAL, .1)
    raises(KeyboardInterrupt, space.in_, "a")
    server.listen(path)
    assert space.in_("a").id == 1
    signal.setitimer(signal.ITIMER_REAL, .1)
    raises(KeyboardInterrupt, space.in_, "b")
    space.out("b")
    assert space.count() == 1 and not server.waiting
    space.close()
    server.check()


def test_interrupts_and_breaks():
    """Signals at random moments over connections that break: each tuple once."""
    r = random.Random(harness.SEED)
    server = Server(harness.SEED, .05)
    space = tilia.space(address=server.listen())
    space.count()
    total, got, interrupts = 150, [], 0
    with server.lock:
        for i in range(total):
            server.put(["job", i])
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    while len(got) < total and interrupts < 5000:
        try:
            try:
                signal.setitimer(signal.ITIMER_REAL, 10 ** -r.uniform(1.5, 4.5))
                got.append(space.in_("job", int))
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        except KeyboardInterrupt:
            interrupts += 1
    server.cut = 0
    assert sorted(row[1] for row in got) == list(range(total)), (len(got), len(set(got)))
    assert interrupts > 5 and server.cuts > 5, (interrupts, server.cuts)
    space.close()
    server.check()


harness.main()
