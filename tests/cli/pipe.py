#!/usr/bin/python3
"""The line door: a request a line, a reply a line."""
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness  # noqa: E402
from cli import Cli  # noqa: E402

T = Cli()


class Door:
    def __init__(self, t=T, **kw):
        self.t = t
        self.p = t.start("pipe", stdin=subprocess.PIPE, **kw)

    def send(self, line):
        self.p.stdin.write(line.encode() + b"\n")
        self.p.stdin.flush()

    def reply(self):
        return self.p.stdout.readline().decode()[:-1]

    def ask(self, line):
        self.send(line)
        return self.reply()

    def close(self):
        self.p.stdin.close()
        return self.p.wait(20)


def test_requests_and_replies():
    d = Door()
    assert d.ask("ping") == "ok"
    assert d.ask("inp job :int") == "none"
    assert d.ask("out job 17 a.png") == "ok"
    assert d.ask("rd job :int :text") == "ok job 17 a.png"
    assert d.ask("count") == d.ask("count job :any :any") == "ok 1"
    assert d.ask("in job n:int :text") == "ok job 17 a.png"
    assert d.ask("in --timeout 50ms job :int :text") == "none"
    assert d.ask("  \tout  x\t1 \r") == "ok"
    assert d.ask("in x :int") == "ok x 1"
    assert d.close() == 0


def test_a_reply_reads_as_the_same_tuple():
    d = Door()
    for words in ('a 1 -5 1.5 true null', '"a b" "" "1" "true" "null" "-x" "--" ":int" "[1]" "{}" "q\\"q" "l\\nl"',
                  'a [1, "x y", [2]] {"k": "v w"}', '[[1, 2], 3]', "[\"a\", h'ff', NaN]", '[]', '"$x" "a:b" "\\u0001" ü'):
        assert d.ask("out " + words) == "ok", words
        first = d.ask("rd " + words)
        assert first.startswith("ok "), (words, first)
        assert d.ask("rd " + first[3:]) == first, (words, first)
        assert d.ask("in " + first[3:]) == first, (words, first)
    assert d.ask("count") == "ok 0"
    assert d.close() == 0


def test_errors_are_replies():
    d = Door()
    for line, word in (("", "usage"), ("nonsense", "usage"), ("out", "usage"), ("in", "usage"),
                       ("out :int", "syntax"), ("out [1", "usage"), ('out "a', "usage"), ("in [?nonsense]", "syntax"),
                       ("in --nonsense x y", "usage"), ("in --timeout soon x", "usage"), ("in --timeout", "usage"),
                       ("out --space nowhere x", "no-space"), ("out a\0b", "usage"), ("out " + "1 " * 300, "usage"),
                       ("rd [1] [2]", "syntax")):
        got = d.ask(line)
        assert got.startswith("error %s " % word), (line, got)
    assert d.ask("count") == "ok %d" % T.count()
    assert d.close() == 0
    T.ok("rm", "--any")


def test_a_waiting_line_is_answered_when_a_tuple_comes():
    d = Door()
    d.send("in wait :int")
    T.until_waiting(1)
    T.ok("out", "wait", "1")
    assert d.reply() == "ok wait 1"
    assert d.close() == 0


def test_a_take_whose_reply_cannot_be_written_is_undone():
    with open("/dev/full", "wb") as full:
        p = T.start("pipe", stdin=subprocess.PIPE, stdout=full)
        T.ok("out", "undo")
        p.stdin.write(b"in undo\n")
        p.stdin.close()
        assert p.wait(20) == 7
    assert T.ok("inp", "undo") == b'["undo"]\n'


def test_a_signal_takes_nothing():
    d = Door()
    d.send("in never")
    T.until_waiting(1)
    d.p.send_signal(signal.SIGINT)
    assert d.p.wait(20) == 130
    T.ok("out", "never")
    assert T.ok("inp", "never") == b'["never"]\n'


def test_a_shell_can_use_it():
    script = r"""
    coproc "$0" pipe
    ask() { printf '%s\n' "$*" >&"${COPROC[1]}"; read -r reply <&"${COPROC[0]}"; }
    for i in 1 2 3; do ask out sh $i; done
    sum=0
    while ask inp sh :int; [ "$reply" != none ]; do set -- $reply; sum=$((sum + $3)); done
    echo $sum
    eval "exec ${COPROC[1]}>&-"
    wait
    """
    out = subprocess.run(["bash", "-c", script, harness.TILIA], env=T.env, stdout=subprocess.PIPE, timeout=60).stdout
    assert out == b"6\n", out


harness.main()
