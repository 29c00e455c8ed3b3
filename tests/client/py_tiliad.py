#!/usr/bin/python3
"""The Python client and the real server."""
import os
import random
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness
import tilia

_server = None


def server():
    global _server
    if _server is None:
        _server = harness.tiliad()
    return _server


def fresh(name):
    space = tilia.space(name, server().address)
    space.create(volatile=True)
    return space


def raises(kind, run, *args, **options):
    try:
        value = run(*args, **options)
    except kind as error:
        return error
    raise AssertionError("%s gave %r" % (kind, value))


def test_operations():
    space = fresh("operations")
    first = space.out("job", 17, "a.png")
    ids = space.outs([("job", 18), ("job", 19.5)])
    assert first < ids[0] < ids[1]
    assert space.count() == 3 and space.count("job", tilia.number) == 2 and space.count("job", int) == 1
    assert space.rd("job", int, str) == ("job", 17, "a.png") and space.rd("job", int, str).id == first
    assert space.in_("job", 17, ...) == ("job", 17, "a.png")
    assert space.inp("job", 17, ...) is None and space.rdp("job", 18.0) is None
    assert space.rd(template=None, after=ids[0]) == ("job", 19.5)
    assert space.in_(template=None, max=10) == [("job", 18), ("job", 19.5)]
    assert space.inp(template=None, max=10) == []
    space.out()
    assert space.inp(template=()) == ()
    assert {"name": "operations", "volatile": True} in [{k: s[k] for k in ("name", "volatile")} for s in space.list()]
    assert space.stats()["requests"]["out"] > 0
    space.drop()
    assert raises(tilia.Error, space.count).word == "no-space"
    assert raises(tilia.Error, space.use("main").create).word == "space-exists"


def test_wait_drain_and_unless():
    space = fresh("waits")
    assert space.out("job", 1, unless=("job", int)) is not None
    assert space.out("job", 2, unless=("job", int)) is None and space.outs([("job", 2)], unless=("job", ...)) is None
    job = next(space.claims("job", int))
    assert space.out("job", 3, unless=("job", int)) is None
    assert space.out("job", 4, unless=("job", int), hidden=False) is not None
    assert (space.count("job", int), space.count("job", int, hidden=False)) == (2, 1)
    assert space.in_("job", int, drain=True) == ("job", 4)
    assert space.wait("job", int) == 1 and space.wait(ge=2, timeout=0) is None
    raises(tilia.Timeout, space.wait_none, "job", int, timeout=.05)
    got = []
    threads = [threading.Thread(target=lambda run=run: got.append(run())) for run in (
        lambda: space.wait_none("job", int), lambda: space.in_("job", int, drain=True),
        lambda: space.in_("job", int, drain=True, max=3), lambda: [list(c) for c in space.claims("job", drain=True)])]
    for thread in threads:
        thread.start()
    harness.until(lambda: space.stats()["waiting"] == 3, "three wait")  # nothing is a claim of ("job",)
    job.done()
    for thread in threads:
        thread.join()
    assert sorted(map(repr, got)) == ["0", "None", "[]", "[]"], got
    space.drop()


def test_limits_shape_and_room():
    space = tilia.space("room", server().address)
    space.create(volatile=True, tuples=1, shape=("job", int))
    error = raises(tilia.Error, space.out, "job", 1.5)
    assert error.word == "shape" and "field 1" in str(error), error
    space.out("job", 1)
    assert raises(tilia.Error, space.out, "job", 2).word == "full"
    assert raises(tilia.Error, space.out, "job", 2, wait=True, timeout=.05).word == "full"
    thread = threading.Thread(target=space.out, args=("job", 2), kwargs={"wait": True})
    thread.start()
    harness.until(lambda: space.stats()["waiting"] == 1, "it waits for room")
    assert space.in_("job", 1) and space.in_("job", 2)
    thread.join()
    space.alter(tuples=2, shape=False)
    assert space.out_many([("x",), ("y",)]) == 2
    assert raises(tilia.Error, space.alter, nonsense=1).word == "request"
    raises(TypeError, space.alter, 1)
    assert raises(tilia.Error, space.out_many, [("z",)], unless=("z",)).word == "usage"
    space.drop()


def test_delay_ttl_and_bound():
    space = fresh("time")
    began = time.monotonic()
    space.out("later", delay=.3)
    assert (space.count("later"), space.count("later", hidden=False), space.inp("later")) == (1, 0, None)
    assert space.in_("later") and time.monotonic() - began >= .25
    space.outs([("short", 1), ("short", 2)], ttl=.2)
    with space.atomic() as step:
        step.out("short", 3, ttl=.2)
    space.out("job", 1)
    job = next(space.claims("job", int))
    job.out("short", 4, ttl=.2)
    job.out("here", 1, bound=True)
    began = time.monotonic()
    job.back(delay=.3)
    assert space.inp("job", int) is None
    with next(space.claims("job", int, lease=5)) as job:
        assert time.monotonic() - began >= .25 and job.tries == 2
        job.out("short", 4, ttl=.2)
        job.out("here", 1, bound=True)
    assert space.wait_none("short", int) == 0 and space.rd("here", 1)
    other = tilia.space("time", server().address + ",unix:/nonexistent")  # a connection of its own
    other.out("here", 2, bound=True)
    with other.atomic() as step:
        step.out("here", 3, bound=True)
    assert space.count("here", int) == 3
    other.close()
    assert space.wait_none("here", 3) == 0 and space.count("here", int) == 1
    space.drop()


def test_atomic():
    space = fresh("atomic")
    other = fresh("atomic.other")
    space.out("counter", 41)
    with space.atomic() as step:
        job = step.in_("counter", int)
        step.no("stop")
        step.out("counter", job[1] + 1)
        step.out(job[0], [job[1] - 41], space=other.name)
    assert job[1] == 41 and job.tuple == ("counter", 41) and len(step.ids) == 2 < job.tuple.id
    assert other.in_(...,  list) == ("counter", [0]) and space.rd("counter", int) == ("counter", 42)
    step = space.atomic(timeout=0)
    step.no("counter", ...)
    assert step.run() is None
    with space.atomic(timeout=5) as step:
        old, new = step.in_("counter", int), step.rd("new", ...)
        threading.Thread(target=space.out, args=("new", 2 ** 64 - 1)).start()
        step.out(new[1] + 1, old[1])
    assert space.in_(2 ** 64, 42) and old.tuple == ("counter", 42)
    step = space.atomic(timeout=.05)
    step.in_("new", int)
    step.in_("new", int)
    raises(tilia.Timeout, step.run)
    step = space.atomic()
    step.out("x", step.rd("new", int)[7])
    error = raises(tilia.Error, step.run)
    assert error.word == "value" and "field 7 of guard 0" in str(error), error
    assert space.count() == 1
    other.drop()
    space.drop()


def test_an_exception_leaves_a_statement_that_waits():
    space = fresh("interrupted")
    other = tilia.space("interrupted", server().address + ",unix:/nonexistent")
    space.out("a")

    def strike(number, frame):
        raise KeyboardInterrupt

    step = space.atomic()
    step.in_("a")
    step.in_("b")
    before = signal.signal(signal.SIGUSR1, strike)
    try:
        for run in step.run, lambda: space.wait_none("a"), lambda: space.wait("b"), lambda: space.in_("b", drain=False):
            main = threading.get_ident()

            def interrupt():
                harness.until(lambda: other.stats()["waiting"] == 1, "it waits")
                signal.pthread_kill(main, signal.SIGUSR1)

            thread = threading.Thread(target=interrupt)
            thread.start()
            raises(KeyboardInterrupt, run)
            thread.join()
            harness.until(lambda: other.stats()["waiting"] == 0, "nothing waits")
    finally:
        signal.signal(signal.SIGUSR1, before)
    space.out("b")
    assert space.inp("a") and space.inp("b") and space.count() == 0
    other.close()
    space.drop()


def test_claims():
    space = fresh("claims")
    space.outs([("job", n) for n in range(4)])
    other = fresh("results")
    seen = []
    try:
        for job in space.claims("job", int, lease=60, timeout=0):
            with job:
                seen.append(job)
                job.out("result", job[1])
                job.out("log", job[1], space="results")
                assert space.inp(*job) is None and space.count(*job) == 1 and job.renew(90) == 90
                if job[1] == 1:
                    raise ValueError("bad job")
                if job[1] == 2:
                    job.bury()
    except ValueError:
        pass
    assert seen == [("job", 0), ("job", 1)] and seen[0].token < seen[1].token and seen[0].tries == 1
    assert space.rd("result", int) == ("result", 0) and other.count() == 1
    again = next(space.claims("job", int))
    assert again == ("job", 1) and again.tries == 2 and again.id == seen[1].id
    again.done()
    for job in space.claims("job", int, timeout=0):
        with job:
            if job[1] == 2:
                job.bury()
    assert space.count("job", int) == 0 and space.use("claims.dead").in_(template=None) == ("job", 2)
    assert list(space.claims("job", int, timeout=.01)) == []


def test_a_claim_that_is_over_changes_nothing():
    space = fresh("over")
    space.outs([("job", 1), ("job", 2)])
    from tilia.claims import ClaimOver
    claims = space.claims("job", int, lease=.05, max=2)
    job = next(claims)
    assert space.in_(*job) == job  # waits until the lease is over
    job.out("result")
    error = raises(ClaimOver, job.done)
    assert error.word == "claim-over" and space.count("result") == 0
    raises(ClaimOver, job.renew)
    claims.close()  # gives back what nobody asked for
    assert space.in_("job", 2, timeout=10)
    raises(tilia.Error, lambda: next(space.claims()))
    raises(tilia.Error, job.out, object())
    raises(tilia.Error, job.out, 1, timeout=5)
    assert space.count() == 0


def test_timeout():
    space = fresh("timeout")
    started = time.monotonic()
    raises(tilia.Timeout, space.in_, "x", timeout=.2)
    assert .19 < time.monotonic() - started < 5
    raises(tilia.Timeout, space.rd, "x", timeout=.001)


def test_refused():
    space = fresh("refused")
    assert "field 1" in str(raises(tilia.Error, space.out, "a", tilia.Tag(21580, None)))
    assert raises(tilia.Error, space.in_, "x", nonsense=1).word == "request"
    assert raises(tilia.Error, space.in_, "x", max=0).word == "limit"
    assert raises(tilia.Error, space.outs, [["x"]] * 1025).word == "limit"
    assert raises(tilia.Error, space.out, *range(256)).word == "limit"
    assert raises(tilia.Error, space.out, b"x" * (1 << 20)).word == "limit"
    assert space.count() == 0


def test_values():
    """Every value of the vectors comes back the same."""
    space = fresh("values")
    count = 0
    with open(os.path.join(harness.ROOT, "tests", "vectors", "values.txt"), encoding="utf-8") as file:
        for line in file:
            if line.startswith("#") or not line.strip():
                continue
            data = bytes.fromhex(line.split("\t")[1])
            value = tilia.decode(data)
            if b"\xd9\x54\x4c" in data or b"\xd9\x54\x4d" in data:
                continue
            try:
                space.out(count, value)
            except tilia.Error as error:
                assert error.word == "limit", (line, error)
                continue
            got = space.in_(count, value)
            assert tilia.encode(got[1]) == data and type(got[1]) is type(value), line
            count += 1
    assert count > 100, count


def test_many():
    space = fresh("many")
    assert space.out_many(("row", i, "x" * 50) for i in range(20000)) == 20000
    seen, last = 0, 0
    while True:
        rows = space.rdp(template=None, max=1024, after=last)
        if not rows:
            break
        seen += len(rows)
        last = rows[-1].id
    assert seen == 20000
    assert [row[1] for row in space.in_("row", int, str, max=100)] == list(range(100))
    assert space.in_("row", 19999, ...) and space.count() == 19899


def test_threads():
    space = fresh("threads")
    got = []

    def work(k):
        for i in range(150):
            space.out(k, i)
            got.append(space.in_(k, int))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(got)) == 1200 and space.count() == 0


def test_ctrl_c():
    """Ctrl-C in a waiting take while another puts: 100 times, and no tuple is gone."""
    r = random.Random(harness.SEED)
    space = fresh("ctrl_c")
    total, got, interrupts, put = 100, [], 0, []

    def other():
        mine = tilia._net.Session([server().address])
        there = tilia.Space(mine, "ctrl_c")
        for i in range(total):
            time.sleep(.001 * put_pause.random())
            put.append(there.out("job", i))
        mine.close()

    put_pause = random.Random(harness.SEED + 1)
    thread = threading.Thread(target=other)
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    thread.start()
    while len(got) < total or interrupts < 100:
        if len(got) == total:
            space.out("job", total)
            total += 1
        try:
            try:
                signal.setitimer(signal.ITIMER_REAL, 10 ** -r.uniform(2.5, 4.5))
                got.append(space.in_("job", int))
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        except KeyboardInterrupt:
            interrupts += 1
            if thread.is_alive() or len(got) < total:
                continue
    thread.join()
    assert sorted(row[1] for row in got) == list(range(total)), (len(got), total)
    assert space.count() == 0


def test_restart():
    """TERM and a new start on the same store: the session goes on, who waits is served."""
    path = os.path.join(harness.folder(), "restart.db")
    one = harness.tiliad("--store", path)
    space = tilia.space(address=one.address)
    space.out("a")
    got = []
    waiting = [threading.Thread(target=lambda k=k: got.append(space.in_("b", k))) for k in range(3)]
    for thread in waiting:
        thread.start()
    other = tilia.Space(tilia._net.Session([one.address]))
    harness.until(lambda: other.stats()["waiting"] == 3, "all wait")
    for number in signal.SIGTERM, signal.SIGKILL:
        one.send_signal(number)
        one.wait()
        if number == signal.SIGKILL and os.path.exists(one.sock):
            os.unlink(one.sock)
        one = harness.tiliad("--store", path, sock=one.sock)
        harness.until(lambda: other.stats()["waiting"] == 3, "all wait again")
        assert space.rd("a").id
    for k in range(3):
        other.out("b", k)
    for thread in waiting:
        thread.join()
    assert len(got) == 3 and other.count() == 1
    other.close()
    space.close()


def test_relay():
    """Through a program; when that is killed, through the next one, in the same session."""
    address = "cmd:%s relay --connect %s" % (harness.TILIA, server().address)
    with tilia.space("main", address) as space:
        space.out("relay", 1)
        session = space.channel.id
        for i in range(3):
            child = tilia._net._children[-1]
            child.kill()
            child.wait()
            assert space.in_("relay", 1 + i) == ("relay", 1 + i)
            space.out("relay", 2 + i)
        assert space.channel.id == session
        assert space.inp("relay", 4) == ("relay", 4) and space.count("relay", int) == 0


def test_killed_client():
    """The last take of a client that was killed is back when its grace is over."""
    import subprocess
    space = tilia.space(address=server().address)
    code = ("import os, tilia; from tilia import _net; s = tilia.space(); s.out('k', 1); s.out('k', 2);"
            "s.in_('k', 1); s.in_('k', 2); os.kill(os.getpid(), 9)")
    before = space.stats()["sessions"]
    env = dict(os.environ, TILIA=server().address, PYTHONPATH=os.path.join(harness.ROOT, "libclient", "python"))
    assert subprocess.run([sys.executable, "-c", code], env=env).returncode == -9
    assert space.stats()["sessions"] == before + 1  # it lives on for its grace, with what it took
    assert space.count("k", int) == 0
    code = code.replace("os.kill(os.getpid(), 9)", "1 / 0")
    assert subprocess.run([sys.executable, "-c", code], env=env, stderr=subprocess.DEVNULL).returncode == 1
    assert space.in_("k", int) == ("k", 2) and space.inp("k", int) is None
    assert space.stats()["sessions"] == before + 1


harness.main()
