#!/usr/bin/python3
"""tilia watch: a line for each event, over breaks too."""
import json
import os
import signal
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness  # noqa: E402
from cli import Cli  # noqa: E402

T = Cli()


def watching(t=T):
    for line in t.ok("stats").decode().splitlines():
        if line.startswith("watching "):
            return int(line.split()[1])
    raise AssertionError("stats has no watching")


class Watch:
    """A `tilia watch` under way, of which the server knows."""

    def __init__(self, *args, t=T):
        before = watching(t)
        self.t = t
        self.p = t.start("watch", *args)
        harness.until(lambda: watching(t) == before + 1, "it watches")

    def next(self):
        return self.p.stdout.readline().decode().rstrip("\n").split("\t")

    def end(self, number=signal.SIGINT):
        self.p.send_signal(number)
        out, err = self.p.communicate(timeout=20)
        assert (out, err) == (b"", b""), (out, err)
        return self.p.returncode


def token(line):
    return line.decode().split("\t")[0]


def test_a_line_for_each_kind():
    w = Watch()
    T.ok("out", "job", "1")
    T.ok("commit", "--back", token(T.ok("in", "--lease", "30s", "job", ":int")))
    T.ok("commit", "--bury", token(T.ok("in", "--lease", "30s", "job", ":int")))
    T.ok("out", "a\tb", "2")
    T.ok("commit", token(T.ok("in", "--lease", "30s", ":text", ":int")))
    T.ok("in", "--space", "main.dead", "job", "1")
    T.ok("out", "last")
    T.ok("in", "last")
    got = [w.next() for _ in range(10)]
    assert [line[0] for line in got] == "put claim back claim bury put claim done put take".split(), got
    first = int(got[0][1])
    assert [int(line[1]) for line in got] == list(range(first, first + 10)), got
    assert [line[3] for line in got] == ['["job", 1]'] * 5 + [r'["a\tb", 2]'] * 3 + ['["last"]'] * 2, got
    assert len({line[2] for line in got[:5]}) == 1 and got[5][2] == got[7][2] != got[0][2], got
    assert w.end() == 130
    harness.until(lambda: watching() == 0, "it is over")


def test_only_what_matches_and_only_so_many():
    w = Watch("--max", "2", "--json", "n", ":int")
    for i in range(3):
        T.ok("out", "n", str(i))
        T.ok("out", "other", str(i))
    out, err = w.p.communicate(timeout=20)
    assert (w.p.returncode, err) == (0, b""), err
    got = [json.loads(line) for line in out.splitlines()]
    assert [[e[0], e[3]] for e in got] == [["put", ["n", 0]], ["put", ["n", 1]]], got
    assert got[1][1] == got[0][1] + 2
    again = T.ok("watch", "-n", "1", "--cbor", "--after", str(got[0][1]), "n", ":int")
    assert again.startswith(b"\x84\x63put\x1b" + got[1][1].to_bytes(8, "big")) and again.endswith(b"\x82\x61n\x01")
    T.ok("rm", "--any")


def test_where_it_stands_and_quiet():
    kind, cursor, id, tuple = T.ok("watch", "--after", "0", "--max", "1").decode().rstrip("\n").split("\t")
    assert (kind, id, tuple) == ("gap", "0", "null") and int(cursor) > 1 << 50
    assert T.refused(1, "watch", "--after", cursor, "--timeout", "20ms") == ""


def test_signals_end_it():
    for number in signal.SIGTERM, signal.SIGHUP:
        assert Watch().end(number) == 130


def test_the_end_of_a_space():
    T.ok("space", "create", "s")
    w = Watch("-s", "s")
    T.ok("out", "-s", "s", "x")
    assert w.next()[::3] == ["put", '["x"]']
    T.ok("space", "drop", "s")
    out, err = w.p.communicate(timeout=20)
    assert w.p.returncode == 4 and out.startswith(b"drop\t") and b"dropped" in err, (out, err)
    assert "no such space" in T.refused(4, "watch", "-s", "s")


def test_it_goes_on_over_a_killed_server():
    folder = tempfile.mkdtemp(dir=harness.folder())
    store = os.path.join(folder, "db")
    t = Cli("--store", store)
    w = Watch("job", ":int", t=t)
    t.ok("out", "job", "1")
    before = w.next()
    assert before[::3] == ["put", '["job", 1]']
    t.server.kill()
    t.server.wait()
    t.server = harness.tiliad("--store", store, sock=t.server.sock)
    after = w.next()
    assert after[0] == "gap" and int(after[1]) > int(before[1]), (before, after)
    t.ok("out", "job", "2")
    assert w.next()[::3] == ["put", '["job", 2]']
    assert w.end() == 130


def test_wrong_words():
    assert "--max 0" in T.refused(2, "watch", "--max", "0")
    assert "--timeout" in T.refused(2, "watch", "--timeout", "5")
    assert "--raw" in T.refused(2, "watch", "--raw", "1")
    T.refused(2, "watch", "--after", "x")


harness.main()
