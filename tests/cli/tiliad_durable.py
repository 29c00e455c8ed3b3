"""tiliad on a store: replies held until their batch is durable, sessions over sockets, full
batches, a store that somebody else writes to."""
import os
import random
import signal
import sqlite3
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness
from wire import ANY, Wire, frame


def store(name):
    return os.path.join(harness.folder(), name + ".db")


def log_of(server):
    with open(server.sock + ".log") as f:
        return f.read()


def end(server, number=signal.SIGTERM):
    server.send_signal(number)
    return server.wait(20)


def hello(c, **options):
    reply = c.ask("hello", dict({"v": 1}, **options))
    assert reply[0] == 0, reply
    return reply[1]["session"]


def test_hello_and_requests_in_one_write():
    server = harness.tiliad("--store", store("one"))
    c = Wire(server.address)
    c.raw(frame(1, "hello", {"v": 1, "session": "new"}) + frame(2, "out", "main", ["a"]) +
          frame(3, "in", "main", ["a"]) + frame(4, "bye"))
    assert [c.receive()[:2] for _ in range(4)] == [[1, 0], [2, 0], [3, 0], [4, 0]]
    c = Wire(server.address)
    assert c.ask("hello", {"v": 1, "session": "new"})[0] == 0
    assert c.ask("count", "main", None) == [0, 0]
    assert end(server) == 0


def test_a_close_waits_for_the_replies_before_it():
    server = harness.tiliad("--store", store("close"))
    c = Wire(server.address)
    c.raw(frame(1, "out", "main", ["a"]) + frame(2, "out", "main", ["b"]) + b"\xff")
    replies = sorted(c.receive()[:2] for _ in range(3))
    assert replies == [[0, -1], [1, 0], [2, 0]], replies
    assert c.receive() is None
    assert end(server) == 0


def test_what_was_answered_is_there_after_kill_9():
    server = harness.tiliad("--store", store("kill"))
    c = Wire(server.address)
    for i in range(50):
        assert c.ask("out", "main", ["kept", i])[0] == 0
    server.kill()
    server.wait(20)
    again = harness.tiliad("--store", store("kill"), sock=server.sock)
    c = Wire(again.address)
    reply = c.ask("in", "main", ["kept", ANY], {"max": 1000})
    assert [t[1] for t in reply[1]] == [["kept", i] for i in range(50)]
    assert end(again) == 0
    assert "boot=2" in log_of(again)


def test_a_resume_takes_the_session_over():
    server = harness.tiliad("--store", store("resume"))
    first, other = Wire(server.address), Wire(server.address)
    session = hello(first, session="new")
    n = first.send("in", "main", ["job", ANY])
    assert first.silent()
    second = Wire(server.address)
    assert hello(second, session=session) == session
    assert first.receive()[:2] == [0, -10]
    assert first.receive() is None
    second.number = n
    second.raw(frame(n, "in", "main", ["job", ANY]))
    assert other.ask("out", "main", ["job", 7])[0] == 0
    reply = second.receive()
    assert reply[:2] == [n, 0] and reply[2][0][1] == ["job", 7], reply
    assert end(server) == 0


def test_an_unacknowledged_take_survives_kill_9_and_is_answered_again():
    server = harness.tiliad("--store", store("again"))
    c = Wire(server.address)
    session = hello(c, session="new")
    assert c.ask("out", "main", ["job"])[0] == 0
    taken = c.ask("in", "main", ["job"])
    n = c.number
    server.kill()
    server.wait(20)
    again = harness.tiliad("--store", store("again"), sock=server.sock)
    c = Wire(again.address)
    assert hello(c, session=session) == session
    c.raw(frame(n, "in", "main", ["job"]))
    assert c.receive() == [n] + taken
    c.number = n
    assert c.ask("count", "main", None) == [0, 0]
    assert c.ask("bye") == [0, None]
    assert end(again) == 0


def test_a_kill_between_the_two_halves_of_a_large_commit():
    """2 MB that end 1,000 claims: with half of them there nothing happened; later it did, all of it, once."""
    rng, path = random.Random(harness.SEED), store("halves")
    server = harness.tiliad("--store", path)
    c = Wire(server.address)
    session = hello(c, session="new")
    half, done = 0, 0
    for cycle in range(8):
        assert c.ask("outs", "main", [["job", cycle, i] for i in range(1000)])[0] == 0
        code, rows = c.ask("in", "main", ["job", cycle, ANY], {"lease": 600000, "max": 1000})
        assert code == 0 and len(rows) == 1000, rows
        n, tokens = c.number + 1, [row[2] for row in rows]
        outs = [["main", ["result", cycle, i, "x" * 2000]] for i in range(1000)]
        whole = frame(n, "commit", {"done": tokens, "out": outs})
        if cycle < 2:
            c.raw(whole[:len(whole) // 2])
        else:
            c.raw(whole)
            time.sleep(rng.random() * 0.03)
        server.kill()
        server.wait(20)
        c.close()
        server = harness.tiliad("--store", path, sock=server.sock)
        c = Wire(server.address)
        assert c.ask("hello", {"v": 1, "session": session, "have": [[1, n - 1]]})[0] == 0
        c.number = n  # count may tell what is there before the commit is sent again
        there = Wire(server.address).ask("count", "main", ["result", cycle, ANY, ANY])[1]
        left = Wire(server.address).ask("count", "main", ["job", cycle, ANY])[1]
        assert (there, left) in ((0, 1000), (1000, 0)), (cycle, there, left)
        assert there == 0 or cycle >= 2
        half, done = half + (there == 0), done + (there > 0)
        c.raw(whole)
        reply = c.receive()
        assert reply[:2] == [n, 0] and len(set(reply[2])) == 1000, reply[:2]
        assert c.ask("count", "main", ["result", cycle, ANY, ANY]) == [0, 1000]
        assert c.ask("count", "main", ["job", cycle, ANY]) == [0, 0]
    print("# killed before the commit was done: %d, after: %d" % (half, done))
    assert end(server) == 0


def test_more_than_a_batch_at_once():
    server = harness.tiliad("--store", store("full"))
    a, b, quick = (Wire(server.address) for _ in range(3))
    big = "x" * 900000
    for c in (a, b):
        for i in range(12):  # 2 x 10.8 MB against batches of 8 MiB
            c.send("out", "main", ["big", i, big])
    assert quick.ask("ping") == [0, None]
    for c in (a, b):
        for i in range(1, 13):
            assert c.receive()[:2] == [i, 0]
    assert quick.ask("count", "main", None) == [0, 24]
    many = [["small", i] for i in range(1000)]
    for i in range(60):  # 60,000 changes against batches of 50,000
        a.send("outs", "main", many)
    for i in range(60):
        assert len(a.receive()[2]) == 1000
    assert quick.ask("count", "main", ["small", ANY]) == [0, 60000]
    assert end(server) == 0
    again = harness.tiliad("--store", store("full"))
    assert Wire(again.address).ask("count", "main", None) == [0, 60024]
    assert end(again) == 0


def test_term_commits_and_answers_what_is_under_way():
    server = harness.tiliad("--store", store("term"))
    c = Wire(server.address)
    c.raw(b"".join(frame(n, "out", "main", ["job", n]) for n in range(1, 2001)))
    server.send_signal(signal.SIGTERM)
    done = 0
    while True:
        reply = c.receive()
        if reply is None:
            break
        assert reply[1] in (0, -14), reply
        done += reply[1] == 0
    assert server.wait(20) == 0
    again = harness.tiliad("--store", store("term"))
    assert Wire(again.address).ask("count", "main", None) == [0, done]
    assert end(again) == 0


def test_somebody_else_wrote_to_the_store():
    server = harness.tiliad("--store", store("other"))
    c = Wire(server.address)
    waiting = Wire(server.address)
    waiting.send("in", "main", ["never"])
    assert c.ask("out", "main", ["mine"])[0] == 0
    db = sqlite3.connect(store("other"), timeout=0.02)
    table = [r[0] for r in db.execute("select name from sqlite_master where type = 'table'")
             if r[0].startswith("tuple")][0]

    def deleted():
        try:
            db.execute("delete from " + table)
            db.commit()
            return True
        except sqlite3.OperationalError:  # the server's writer holds it; a commit lets go
            db.rollback()
            return False

    def more():
        try:
            while True:
                c.ask("out", "main", ["more"])
        except (OSError, AssertionError):
            pass
    threading.Thread(target=more, daemon=True).start()
    harness.until(deleted, "the operator's delete", 60)
    assert server.wait(20) == 1
    assert "level=fatal msg=\"the journal failed\"" in log_of(server), log_of(server)
    assert waiting.receive() is None
    assert not os.path.exists(server.sock)


harness.main()
