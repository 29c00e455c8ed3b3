#!/usr/bin/python3
"""`tilia` without memory: the n-th allocation fails, for every n, once or from there on.

Each command says so and leaves with a status of its own, or does what it was asked; no tuple
is lost: what is gone from the space was printed or worked on.
"""
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import cli
import harness
import tilia

SHIM = os.path.join(harness.BUILD, "tests", "lib", "nomem.so")
LOCAL = 7            # the exit status: this process's own fault
NO_SERVER = 3        # what the C library wanted memory for to connect
MOST = 5000          # allocations of a command: more is a loop

# A session that is over is undone at once.
_cli = cli.Cli("--grace", "30ms")
_space = tilia.space("main", _cli.server.address)
_folder = tempfile.mkdtemp(dir=harness.folder())
_spared, _mark = os.path.join(_folder, "spared"), os.path.join(_folder, "mark")
_round = 0           # each has jobs of its own: a claim of the last one may not be over


def jobs():
    """How many jobs there are, claimed ones included."""
    return _space.count("job%d" % _round, int)


def without(path):
    if os.path.exists(path):
        os.unlink(path)


def prepare(count):
    global _round
    _round += 1
    for i in range(count):
        _space.out("job%d" % _round, i)
    without(_spared)
    without(_mark)


def run(n, on, argv, stdin):
    """(the status, stdout, stderr, whether the command never came to its n-th allocation)"""
    env = dict(_cli.env, LD_PRELOAD=SHIM, NOMEM_AT=str(n), NOMEM_SPARED=_spared)
    if on:
        env["NOMEM_ON"] = "1"
    name = "job%d" % _round
    p = harness.start([harness.TILIA, *(a.replace("job", name) for a in argv)], env=env, stdin=-1, stdout=-1, stderr=-1)
    out, err = p.communicate(stdin.replace("job", name).encode(), timeout=60)
    return p.returncode, out.decode(), err.decode(), os.path.exists(_spared)


def each(argv, check, before=1, stdin="", good=(0,)):
    """check(done, stdout) says what is wrong with the space; or nothing."""
    for on in (False, True):
        for n in range(1, MOST):
            prepare(before)
            status, out, err, spared = run(n, on, argv, stdin)
            what = (argv, "NOMEM_AT=%d" % n, on, status, out, err)
            done = status in good
            if not done:
                assert status in (LOCAL, NO_SERVER), what
                assert "memory" in err, what
            assert not spared or done, what
            harness.until(lambda: check(done, out), "the space is right after %s" % (what,), 10)
            if spared:
                assert n > 2, "%s came to no allocation" % argv
                break
        else:
            raise AssertionError("%s never had enough" % argv)


def test_a_put_is_done_or_not():
    each(["out", "job", "7"], lambda done, out: jobs() in ((1,) if done else (0, 1)), before=0)


def test_a_take_is_printed_or_left():
    each(["in", "job", ":int"], lambda done, out: not done and out or jobs() == (0 if done else 1))


def test_looking_changes_nothing():
    for argv in (["rd", "--json", "job", ":int"], ["count", "job", ":int"], ["ls", "job", ":int"], ["stats"],
                 ["space", "list"], ["wait", "--ge", "1", "job", ":int"]):
        each(argv, lambda done, out: jobs() == 1)


def test_an_atomic_happens_as_a_whole():
    each(["atomic", "in", '["job", ?int]', "out", '["job", @0.1+1]'], lambda done, out: jobs() == 1)


def test_the_line_door():
    def check(done, out):
        oks = out.count("ok")
        return min(oks, 2) - (oks > 2) <= jobs() <= (1 if done else 2)
    each(["pipe"], check, before=0,
         stdin="out job 1\nout job 2\nin job :int\nping\n")


def test_work_is_done_or_left():
    each(["work", "--once", "--lease", "300ms", "job", "n:int", "--", "touch", _mark],
         lambda done, out: jobs() == 1 or os.path.exists(_mark), good=(0, 5))


def test_spaces_and_dead_letters():
    for argv in (["space", "create", "--volatile", "made"], ["space", "alter", "--tries", "3", "main"],
                 ["space", "bury", "main", "job", ":int"], ["space", "kick", "main", "job", ":int"], ["rm", "none"]):
        each(argv, lambda done, out: jobs() == 1 or argv[1] == "bury", good=(0, 1, 4))


def test_a_dump_is_loaded_line_by_line():
    each(["load", "-"], lambda done, out: jobs() in ((2,) if done else (0, 1, 2)), before=0,
         stdin='main\t5\t{}\t["job", 1]\nmain\t6\t{}\t["job", 2]\n')


def test_a_lock_is_let_go():
    each(["lock", "--lease", "1s", "a job", "--", "touch", _mark],
         lambda done, out: jobs() == 1 and (not done or os.path.exists(_mark)))


if __name__ == "__main__":
    if os.path.exists(SHIM):
        harness.main()
    print("skip nomem: %s is not built" % SHIM)
