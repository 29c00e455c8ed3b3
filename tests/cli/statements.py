#!/usr/bin/python3
"""out --unless, in --drain, wait, count --visible, and the line door's of them."""
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness  # noqa: E402
from cli import Cli  # noqa: E402
from wire import Wire  # noqa: E402

T = Cli()


def claim(*template):
    return T.ok("in", "--lease", "1m", *template).decode().split("\t")[0]


def test_unless_puts_once():
    assert T.run("out", "--unless", '["once", ?]', "once", "1") == (0, b"", b"")
    assert T.run("out", "--unless", '["once", ?]', "once", "2") == (1, b"", b"")
    token = claim("once", ":int")
    assert T.run("out", "--unless", '["once", ?]', "once", "3")[0] == 1  # claimed: it exists
    assert T.run("out", "--unless", '["once", ?]', "--visible", "once", "4")[0] == 0
    T.ok("commit", token)
    assert T.ok("in", "once", ":int") == b'["once", 4]\n'
    assert T.run("out", "--unless", '["once", ?]', "once", "5")[0] == 0
    T.ok("in", "once", "5")


def test_drain_ends_when_the_work_is_done():
    assert T.run("in", "--drain", "job", ":int") == (1, b"", b"")
    T.ok("out", "job", "1")
    token = claim("job", ":int")
    second = T.start("in", "--drain", "job", ":int")
    T.until_waiting(1)
    T.ok("commit", "--back", token)
    assert second.communicate(timeout=20) == (b'["job", 1]\n', b"") and second.returncode == 0
    T.ok("out", "job", "2")
    token = claim("job", ":int")
    third = T.start("in", "--drain", "job", ":int")
    T.until_waiting(1)
    T.ok("commit", token)
    assert third.communicate(timeout=20) == (b"", b"") and third.returncode == 1


def test_wait_for_a_number_and_for_none():
    some = T.start("wait", "--ge", "3", "w", ":int")
    T.until_waiting(1)
    T.ok("out", "-", stdin=b'["w", 1]\n["w", 2]\n')
    T.ok("out", "w", "3")
    assert some.communicate(timeout=20) == (b"3\n", b"") and some.returncode == 0
    assert T.ok("wait", "w", "1") == b"1\n"
    assert T.run("wait", "--timeout", "50ms", "w", "4") == (1, b"", b"")
    assert T.run("wait", "--none", "--timeout", "0", "w", ":int") == (1, b"", b"")
    token = claim("w", "1")
    none = T.start("wait", "--none", "w", ":int")
    T.until_waiting(1)
    assert T.ok("rm", "w", ":int") == b"2\n"
    assert T.ok("wait", "--none", "--visible", "w", ":int") == b""
    assert (T.count("w", ":int"), T.count("--visible", "w", ":int")) == (1, 0)
    assert T.waiting() == 1
    T.ok("commit", token)
    assert none.communicate(timeout=20) == (b"", b"") and none.returncode == 0


def test_an_atomic_is_all_or_nothing():
    T.ok("out", "counter", "41")
    raised = ("in", '["counter", ?int]', "out", '["counter", @0.1+1]')
    assert T.ok("atomic", *raised) == b'["counter", 41]\n'
    assert T.ok("atomic", "--raw", "1", *raised) == b"42\n"
    lines = b'in ["counter", ?int]\nout ["counter", @0.1+1]\n'
    assert T.ok("atomic", "-", stdin=lines) == b'["counter", 43]\n'
    assert T.ok("atomic", "--json", "rd", '["counter", ?]', "no", '["x"]', "rd", '["counter", 44]') == \
        b'["counter", 44]\n' * 2
    assert T.ok("atomic", "--timeout", "0", "in", '["counter", ?]', "no", "[?, 44]") == b'["counter", 44]\n'
    T.ok("out", "counter", "1")
    twice = ("in", '["counter", ?]') * 2
    assert T.run("atomic", "--timeout", "50ms", *twice) == (1, b"", b"")
    assert "field 2 of guard 0" in T.refused(4, "atomic", "in", '["counter", ?]', "out", "[@0.2]")
    waits = T.start("atomic", "in", '["counter", ?]', "in", '["go"]', "out", "[@0.0, @1.0]")
    T.until_waiting(1)
    T.ok("out", "go")
    assert waits.communicate(timeout=20) == (b'["counter", 1]\n["go"]\n', b"") and waits.returncode == 0
    assert T.ok("in", "--any") == b'["counter", "go"]\n'


def test_delay_and_ttl():
    began = time.monotonic()
    T.ok("out", "--delay", "300ms", "later", "1")
    assert (T.count("later", ":int"), T.count("--visible", "later", ":int")) == (1, 0)
    assert T.ok("in", "later", ":int") == b'["later", 1]\n' and time.monotonic() - began >= 0.25
    T.ok("out", "--ttl", "200ms", "-", stdin=b'["short", 1]\n["short", 2]\n')
    T.ok("atomic", "out", "--ttl", "200ms", '["short", 3]')
    assert T.ok("wait", "--none", "short", ":int") == b""
    T.ok("out", "again", "1")
    token = claim("again", ":int")
    began = time.monotonic()
    T.ok("commit", "--back=300ms", "--out", '["short", 4]', "--ttl", "200ms", token)
    assert T.run("inp", "again", ":int")[0] == 1 and T.count("again", ":int") == 1
    assert T.ok("in", "again", ":int") == b'["again", 1]\n' and time.monotonic() - began >= 0.25
    assert T.ok("wait", "--none", "short", ":int") == b""


def test_out_waits_for_room():
    wire = Wire(T.server.address)
    wire.send("space", "create", "small", {"volatile": True, "tuples": 1})
    assert wire.receive()[1] == 0
    put = ("out", "--space", "small")
    T.ok(*put, "1")
    assert "full" in T.refused(4, *put, "2")
    assert "no room" in T.refused(4, *put, "--wait", "--timeout", "50ms", "2")
    one = T.start(*put, "--wait", "2")
    T.until_waiting(1)
    lines = T.start(*put, "--wait", "-", stdin=subprocess.PIPE)
    lines.stdin.write(b"[3]\n")
    lines.stdin.close()
    T.until_waiting(2)
    for n in 1, 2, 3:  # who came first goes first
        assert T.ok("in", "--space", "small", ":int") == b"[%d]\n" % n
    assert (one.wait(20), lines.wait(20)) == (0, 0)


def test_a_bound_tuple_vanishes_with_its_pipe():
    p = T.start("pipe", stdin=subprocess.PIPE)
    p.stdin.write(b"out --bound here 1\natomic out --bound [\"here\", 2]\n")
    p.stdin.flush()
    assert p.stdout.readline() == p.stdout.readline() == b"ok\n"
    assert T.count("here", ":int") == 2
    p.stdin.close()
    assert p.wait(20) == 0
    assert T.ok("wait", "--none", "here", ":int") == b""


def test_ls_and_rm_go_page_by_page():
    """1,024 tuples a request at most, so that others come between."""
    def asked():
        return json.loads(T.ok("stats", "--json"))["requests"]

    assert T.count() == 0
    T.ok("out", "-", stdin=b"".join(b'["page", %d]\n' % n for n in range(2500)))
    before = asked()
    rows = T.ok("ls", "page", ":int").splitlines()
    assert rows == [b'["page", %d]' % n for n in range(2500)]
    assert len(T.ok("ls", "--ids", "--max", "1500", "page", ":int").splitlines()) == 1500
    assert T.ok("rm", "page", ":int") == b"2500\n" and T.count() == 0
    after = asked()
    assert after["rd"] - before.get("rd", 0) == 4 + 2, (before, after)  # the last page is the empty one
    assert after["in"] - before["in"] == 3, (before, after)


def test_an_interrupted_wait_ends():
    p = T.start("wait", "never")
    T.until_waiting(1)
    p.terminate()
    assert p.communicate(timeout=20)[0] == b"" and p.returncode == 130
    T.until_waiting(0)


def test_usage():
    assert "not both" in T.refused(2, "wait", "--ge", "1", "--none", "x")
    assert "one tuple" in T.refused(2, "out", "--unless", "[1]", "-")
    assert "--unless" in T.refused(2, "out", "--visible", "x")
    assert "--wait" in T.refused(2, "out", "--timeout", "1s", "x")
    assert "nothing" in T.refused(2, "out", "--ttl", "0", "x")
    assert "no option" in T.refused(2, "out", "--bound", "x")
    assert "no option" in T.refused(2, "rd", "--drain", "x")
    assert T.refused(2, "out", "--unless", "[?int", "x").endswith("[?int\n     ^\n")
    assert "--out" in T.refused(2, "commit", "--ttl", "1s", "0" * 32 + ":5")
    assert "not a template" not in T.refused(4, "out", "--unless", "7", "x")


def test_the_line_door():
    requests = """\
atomic --timeout 0 in ["job", ?int]
atomic no ["n", ?] out ["n", 1] out ["text", "b c"]
atomic in ["n", ?int] rd ["text", ?] out ["n", @0.1+1]
atomic in ["n", ?int
atomic in ["n", ?nt]
in n :int
in text :text
out --unless ["once"] once
out --unless ["once"] once
out --unless [once] once
wait --ge 1 once
wait
wait --timeout 10ms --ge 2 once
wait --none nothing
in once
in --drain once
count --visible
rd --drain once
wait --ge x once
"""
    want = ["none", "ok", 'ok ["n", 1] ["text", "b c"]', "error usage", "error usage", "ok n 2",
            'ok text "b c"', "ok", "none", "error usage", "ok 1", "ok 1", "none", "ok 0", "ok once", "none", "ok 0",
            "error usage rd has no option drain", "error usage"]
    p = subprocess.run([harness.TILIA, "pipe"], input=requests.encode(), env=T.env, timeout=60,
                       stdout=subprocess.PIPE, check=True)
    got = p.stdout.decode().splitlines()
    assert len(got) == len(want) and all(g.startswith(w) for g, w in zip(got, want)), got


harness.main()
