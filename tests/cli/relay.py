#!/usr/bin/python3
"""relay: the protocol over stdin and stdout, with and without a session of the program's."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness  # noqa: E402
from cli import Cli  # noqa: E402

try:
    import cbor2
except ImportError:
    cbor2 = None


class Program:
    """Speaks frames through a relay, as a program in any language would."""

    def __init__(self, t):
        if cbor2 is None:
            raise harness.Skip("python3-cbor2 is not installed")
        self.p = t.start("relay", stdin=subprocess.PIPE)

    def send(self, *message):
        self.p.stdin.write(cbor2.dumps(cbor2.dumps(list(message))))
        self.p.stdin.flush()

    def reply(self):
        return cbor2.loads(cbor2.load(self.p.stdout))

    def ask(self, *message):
        self.send(*message)
        return self.reply()


def durable():
    store = os.path.join(harness.folder(), "relay-%d.db" % len(os.listdir(harness.folder())))
    t = Cli("--store", store)
    t.store = store
    return t


def restart(t):
    t.server.kill()
    t.server.wait()
    if os.path.exists(t.server.sock):
        os.unlink(t.server.sock)
    t.server = harness.tiliad("--store", t.store, sock=t.server.sock)


def test_a_program_without_hello():
    t = Cli()
    r = Program(t)
    assert r.ask(2, "out", "main", ["a", 1])[:2] == [2, 0]
    assert r.ask(3, "in", "main", None)[2][0][1] == ["a", 1]
    r.send(0, "ack", [2, 3])
    assert r.ask(4, "nonsense")[1] == -2
    assert r.ask(5, "bye") == [5, 0, None]
    assert r.p.wait(20) == 0, r.p.stderr.read()


def test_its_session_outlives_the_server():
    t = durable()
    r = Program(t)
    assert r.ask(2, "out", "main", ["a", 1])[:2] == [2, 0]
    taken = r.ask(3, "in", "main", ["a", 1])
    r.send(4, "in", "main", ["later"])
    t.until_waiting(1)
    restart(t)
    harness.until(lambda: t.waiting() == 1, "the wait is back")
    assert t.count("a", "1") == 0, "a take that was not acknowledged is kept for its session"
    t.ok("out", "later")
    got = r.reply()
    assert got[0] == 4 and got[2][0][1] == ["later"], got
    assert r.ask(5, "cancel", 3) == [5, 0, True]
    assert t.count("a", "1") == 1 and taken[2][0][1] == ["a", 1]
    assert r.ask(6, "bye") == [6, 0, None]
    assert r.p.wait(20) == 0


def test_its_watch_goes_on_over_breaks_and_a_new_server():
    t = durable()
    r = Program(t)
    r.send(2, "watch", "main", None)
    assert r.ask(3, "ping") == [3, 0, None]
    t.ok("out", "a")
    number, part, (kind, cursor, _, fields) = r.reply()
    assert (number, part, kind, fields) == (2, 1, "put", ["a"])
    restart(t)
    number, part, (kind, later, _, fields) = r.reply()
    assert (number, part, kind, fields) == (2, 1, "gap", None) and later > cursor
    t.ok("in", "a")
    assert r.reply()[2][0::3] == ["take", ["a"]]
    r.send(4, "cancel", 2)
    assert r.reply()[:2] == [2, -13] and r.reply() == [4, 0, True]
    assert r.ask(5, "bye") == [5, 0, None]
    assert r.p.wait(20) == 0


def test_a_program_that_dies_gives_back_what_it_did_not_acknowledge():
    t = Cli()
    t.ok("out", "x")
    r = Program(t)
    assert r.ask(2, "in", "main", ["x"])[2][0][1] == ["x"]
    r.p.stdin.close()
    r.p.stdout.close()
    assert r.p.wait(20) == 0
    assert t.count("x") == 0  # until the grace is over
    stats = dict(line.split(" ", 1) for line in t.ok("stats").decode().splitlines())
    assert stats["outcomes"] == "1" and stats["sessions"] == "2", stats


def test_a_program_with_hello_is_passed_through():
    t = Cli()
    r = Program(t)
    r.send(1, "hello", {"session": "new", "v": 1})
    hello = r.reply()
    assert hello[:2] == [1, 0] and len(hello[2]["session"]) == 16
    assert r.ask(2, "out", "main", ["y"])[:2] == [2, 0]
    assert r.ask(3, "bye") == [3, 0, None]
    r.p.stdin.close()
    assert r.p.wait(20) == 0


def test_our_own_clients_go_through_it():
    t = Cli()
    through = dict(t.env, TILIA="cmd:%s relay --connect %s" % (harness.TILIA, t.server.address))
    for args, out in ((["out", "z", "1"], b""), (["in", "z", ":int"], b'["z", 1]\n'), (["inp", "z", ":int"], b"")):
        p = subprocess.run([harness.TILIA, *args], env=through, stdout=subprocess.PIPE, timeout=20)
        assert p.stdout == out, (args, p)


def test_garbage_ends_it():
    t = Cli()
    r = Program(t)
    assert r.ask(2, "ping") == [2, 0, None]
    r.p.stdin.write(b"\xff\xff")
    r.p.stdin.close()
    assert r.p.wait(20) == 2 and b"standard input" in r.p.stderr.read()
    r = Program(t)
    assert r.ask(2, "ping") == [2, 0, None]
    r.send(2, "ping")
    assert r.p.wait(20) == 2


def test_no_server_is_status_3():
    t = Cli()
    t.env["TILIA"] = "unix:" + harness.folder() + "/nobody"
    r = Program(t)
    r.p.stdin.close()
    assert r.p.wait(20) == 3 and b"tiliad --listen" in r.p.stderr.read()


harness.main()
