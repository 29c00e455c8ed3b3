#!/usr/bin/python3
"""`out -` and `out --lines`: many lines, odd lines, lines that come slowly."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness  # noqa: E402
from cli import Cli  # noqa: E402

T = Cli()


def test_100000_lines_in_order():
    n = 100000
    T.ok("out", "--lines", "l", stdin=b"".join(b"line %d\n" % i for i in range(n)))
    assert T.count("l", ":text") == n
    assert T.ok("ls", "--raw", "1", "l", ":text") == b"".join(b"line %d\n" % i for i in range(n))
    assert T.ok("rm", "l", ":text") == b"100000\n"


def test_tuples_as_lines_survive_a_round_trip():
    T.ok("out", "-", stdin=b'["a", 1.5, h\'00\', {"k": [null]}]\n[]\n["b\\n"]')
    listed = T.ok("ls")
    assert listed.count(b"\n") == 3
    assert T.ok("rm", "--any") == b"3\n"
    T.ok("out", "-", stdin=listed)
    assert T.ok("ls") == listed
    T.ok("rm", "--any")


def test_file_names_of_every_kind():
    names = ["a b", "q'uote", 'd"quote', "new\nline", "-dash", "\\", "*", "\t", "ü", " ", "--", "[1]"]
    T.ok("out", "--lines", "-0", "file", stdin="".join(n + "\0" for n in names).encode())
    assert T.ok("ls", "--raw", "1", "-0", "file", ":text").decode().split("\0")[:-1] == names
    T.ok("rm", "file", ":text")
    for name in names:
        T.ok("out", "file", "--", name)
        assert T.ok("in", "--raw", "1", "-0", "file", ":text").decode() == name + "\0"


def test_lines_without_an_end_and_empty_ones():
    T.ok("out", "--lines", "e", stdin=b"a\n\nb")
    assert T.ok("ls", "--raw", "1", "e", ":text") == b"a\n\nb\n"
    T.ok("rm", "e", ":text")


def test_a_wrong_line_ends_it_and_says_what_was_put():
    good = b"".join(b"[%d]\n" % i for i in range(2000))
    err = T.refused(2, "out", "-", stdin=good + b"[1\n" + good)
    assert "line 2001" in err and "2000 tuples were put" in err, err
    assert T.ok("rm", "--any") == b"2000\n"


def test_a_refused_batch_names_its_lines():
    err = T.refused(4, "out", "--space", "nowhere", "-", stdin=b"[1]\n[2]\n")
    assert "lines 1 to 2 were not put" in err and "0 tuples were put" in err, err


def test_large_lines():
    for n in (1 << 20) - 10, 70000:
        T.ok("out", "--lines", stdin=b"x" * n)
        assert len(T.ok("in", "--raw", "0", ":text")) == n + 1
    assert "1 MiB" in T.refused(4, "out", "--lines", stdin=b"x" * (1 << 20))
    assert "too long" in T.refused(2, "out", "--lines", stdin=b"x" * (5 << 20))


def test_a_slow_pipe_is_put_as_it_comes():
    p = T.start("out", "--lines", "slow", stdin=subprocess.PIPE)
    for i in range(3):
        p.stdin.write(b"%d\n" % i)
        p.stdin.flush()
        assert T.ok("in", "--timeout", "20s", "--raw", "1", "slow", ":text") == b"%d\n" % i
    p.stdin.close()
    assert p.wait(20) == 0


def test_a_server_that_leaves_for_a_while_is_waited_for():
    folder = os.path.join(harness.folder(), "durable")
    os.mkdir(folder)
    store = ("--store", os.path.join(folder, "db"))
    t = Cli(*store)
    p = t.start("out", "--lines", "x", stdin=subprocess.PIPE)
    p.stdin.write(b"1\n")
    p.stdin.flush()
    t.ok("in", "--timeout", "20s", "x", ":text")
    t.server.kill()
    t.server.wait()
    os.unlink(t.server.sock)
    p.stdin.write(b"2\n")
    p.stdin.flush()
    t.server = harness.tiliad(*store, sock=t.server.sock)
    assert t.ok("in", "--timeout", "20s", "x", ":text") == b'["x", "2"]\n'
    p.stdin.close()
    assert p.wait(20) == 0, p.stderr.read()


harness.main()
