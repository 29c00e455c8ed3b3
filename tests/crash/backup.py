#!/usr/bin/python3
"""Backups and restores while all goes on, or is killed: a copy is one instant, half of one is
never taken for a store, and clients of before are told."""
import collections
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness  # noqa: E402
from wire import ANY, Wire  # noqa: E402

ROUNDS = 60 if os.environ.get("SOAK") else 6


def tilia(*args, **kw):
    return harness.start([harness.TILIA, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kw)


def ok(*args, **kw):
    p = tilia(*args, **kw)
    out, err = p.communicate(timeout=120)
    assert (p.returncode, err) == (0, ""), (args, p.returncode, out, err)
    return out


class Place:
    """A folder with a store, and its server."""

    def __init__(self, bulk=0):
        self.folder = tempfile.mkdtemp(dir=harness.folder())
        self.path = self.at("main.db")
        self.serve()
        w = self.wire()
        for i in range(0, bulk, 500):
            assert w.ask("outs", "main", [["bulk", j, "x" * 1000] for j in range(i, i + 500)])[0] == 0

    def at(self, name):
        return os.path.join(self.folder, name)

    def serve(self, wait=True):
        self.server = harness.tiliad("--store", self.path, sock=self.at("s"), wait=wait)

    def kill(self):
        self.server.kill()
        self.server.wait(60)

    def wire(self):
        return Wire(self.server.address)


class Pairs(threading.Thread):
    """Puts pairs, both halves in one commit, and takes the oldest, both in one atomic: in any one
    instant what is there is a range of whole pairs."""

    def __init__(self, place):
        super().__init__(daemon=True)
        self.wire, self.done, self.over, self.error = place.wire(), 0, False, None
        self.start()

    def run(self):
        try:
            while not self.over:
                n = self.done
                put = [["main", ["pair", n, half, "y" * (n % 2000)]] for half in "ab"]
                assert self.wire.ask("commit", {"out": put})[0] == 0
                if n >= 20:
                    steps = [["in", "main", ["pair", n - 20, half, ANY]] for half in "ab"]
                    assert self.wire.ask("atomic", steps)[0] == 0
                self.done += 1
        except BaseException as error:
            self.error = error

    def progress(self, n):
        until = self.done + n
        harness.until(lambda: self.error or self.done >= until, "pairs are put", 60)
        assert not self.error, self.error

    def end(self):
        self.over = True
        self.join(60)
        assert not self.error, self.error


def pairs_in(dump):
    """The numbers of the pairs in a dump, which must be whole and a range."""
    halves = collections.Counter()
    for line in dump.splitlines():
        if line.split("\t")[-1].startswith('["pair", '):
            halves[int(line.split('["pair", ')[1].split(",")[0])] += 1
    numbers = sorted(halves)
    assert set(halves.values()) <= {2}, [n for n in numbers if halves[n] != 2]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))) and 19 <= len(numbers) <= 21, numbers
    return numbers


def test_a_backup_under_load_is_one_instant():
    place = Place(bulk=20000)
    pairs = Pairs(place)
    pairs.progress(50)
    meanwhile, last = 0, -1
    for i in range(ROUNDS):
        before = pairs.done
        ok("backup", "--store", place.path, "--force", place.at("copy.db"))
        after = pairs.done
        meanwhile += after - before
        assert "is sound" in ok("check", "--store", place.at("copy.db"))
        numbers = pairs_in(ok("dump", "--store", place.at("copy.db")))
        assert before - 1 <= numbers[-1] <= after + 1 and numbers[-1] > last, (before, numbers, after)
        last = numbers[-1]
        pairs_in(ok("dump", "--store", place.path))  # so does a dump of the served store
        assert "is sound" in ok("check", "--store", place.path)
        pairs.progress(20)
    pairs.end()
    assert meanwhile >= ROUNDS, "no commit while a backup was made"
    shutil.copy(place.at("copy.db"), place.at("other.db"))
    server = harness.tiliad("--store", place.at("other.db"))  # as it is, without restore
    w = Wire(server.address)
    assert w.ask("count", "main", ["bulk", ANY, ANY]) == [0, 20000]
    assert w.ask("count", "main", ["pair", ANY, ANY, ANY]) == [0, 2 * len(numbers)]
    server.terminate()
    assert server.wait(60) == 0


def test_a_killed_backup_leaves_nothing_that_looks_like_one():
    place = Place(bulk=10000)
    rng = random.Random(harness.SEED)
    killed = 0
    while killed < ROUNDS:
        p = tilia("backup", "--store", place.path, place.at("copy.db"))
        part = place.at("copy.db.part")
        size = rng.randrange(1, 8 << 20)
        harness.until(lambda: p.poll() is not None or os.path.exists(part) and os.path.getsize(part) >= size, "it writes")
        p.kill()
        p.wait(20)
        if os.path.exists(place.at("copy.db")):  # it was faster
            os.unlink(place.at("copy.db"))
            continue
        killed += 1
        assert os.path.getsize(part) > 0
        status = subprocess.run([harness.TILIA, "restore", "--store", place.at("new.db"), place.at("copy.db")],
                                stderr=subprocess.DEVNULL).returncode
        assert status == 7 and not os.path.exists(place.at("new.db"))
    ok("backup", "--store", place.path, place.at("copy.db"))
    assert not os.path.exists(part)
    assert "is sound: 10000 tuples" in ok("check", "--store", place.at("copy.db"))
    assert place.wire().ask("ping")[0] == 0


def small_files():
    """No file may grow beyond 1 MiB, as on a disk that is full."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))


def test_a_full_disk_fails_a_backup_and_a_restore_and_leaves_nothing():
    place = Place(bulk=3000)
    ok("backup", "--store", place.path, place.at("good.db"))
    place.kill()
    before = sorted(os.listdir(place.folder))
    for verb in (("backup", "--store", place.path, place.at("copy.db")),
                 ("restore", "--store", place.path, "--force", place.at("good.db"))):
        p = tilia(*verb, preexec_fn=small_files)
        out, err = p.communicate(timeout=60)
        assert (p.returncode, out) == (7, "") and "cannot copy it to " in err, (verb, p.returncode, out, err)
        assert sorted(os.listdir(place.folder)) == before, verb
    place.serve()
    assert place.wire().ask("count", "main", ["bulk", ANY, ANY]) == [0, 3000]


def test_a_killed_restore_is_the_old_store_or_the_new_or_refused():
    place = Place(bulk=3000)
    ok("backup", "--store", place.path, place.at("old.db"))
    assert place.wire().ask("out", "main", ["new"])[0] == 0
    place.kill()
    for name in "main.db", "main.db-wal", "main.db.lock":
        shutil.copy(place.at(name), place.at("kept-" + name))
    rng = random.Random(harness.SEED)
    started = time.monotonic()
    ok("restore", "--store", place.at("time.db"), place.at("old.db"))
    whole = time.monotonic() - started
    seen = collections.Counter()
    for i in range(ROUNDS * 4):
        for name in os.listdir(place.folder):
            if name.startswith("main.db"):
                os.unlink(place.at(name))
        for name in "main.db", "main.db-wal", "main.db.lock":
            shutil.copy(place.at("kept-" + name), place.at(name))
        p = tilia("restore", "--store", place.path, "--force", place.at("old.db"))
        try:
            p.wait(whole * (0.5 + rng.random() * 0.7))
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait(20)
        place.serve(wait=None)
        sock = place.at("s")
        harness.until(lambda: os.path.exists(sock) or place.server.poll() is not None, "ready or refused")
        if place.server.poll() is None:
            w = place.wire()
            new = w.ask("count", "main", ["new"])[1]
            assert w.ask("count", "main", ["bulk", ANY, ANY]) == [0, 3000]
            seen["old" if new else "new"] += 1
            place.kill()
        else:
            said = place.server.stderr.read().decode()
            assert "lost acknowledged work" in said or "belongs to another database" in said, said
            seen["refused"] += 1
        ok("restore", "--store", place.path, "--force", place.at("old.db"))
        assert "is sound: 3000 tuples" in ok("check", "--store", place.path)
    print("# killed restores: %s" % dict(seen))


def test_an_old_backup_under_live_clients():
    """Sessions of before are over, with what they knew; who waits goes on waiting; nothing is stuck."""
    place = Place()
    env = dict(os.environ, TILIA=place.server.address)
    w = place.wire()
    old = w.ask("hello", {"v": 1, "session": "new"})[1]["session"]
    assert w.ask("outs", "main", [["job", i] for i in range(3)])[0] == 0
    first = w.ask("in", "main", ["job", 0], {"lease": 600000})[1][0]
    ok("backup", "--store", place.path, place.at("copy.db"))
    second = w.ask("in", "main", ["job", 1], {"lease": 600000})[1][0]
    assert w.ask("commit", {"done": [first[2]]})[0] == 0
    waiting = tilia("in", "later", ":int", env=env)
    worker = tilia("work", "--max-jobs", "1", "task", "n:int", "--", "echo", "{n}", env=env)
    lock = tilia("lock", "gate", "--", "echo locked; exec sleep 1000", env=env)
    assert lock.stdout.readline() == "locked\n"
    pipe = tilia("pipe", env=env, stdin=subprocess.PIPE)
    pipe.stdin.write("ping\n")
    pipe.stdin.flush()
    assert pipe.stdout.readline() == "ok\n"
    harness.until(lambda: "waiting 2\n" in ok("stats", env=env), "two wait")
    place.server.send_signal(signal.SIGSTOP)  # what is sent now is read by nobody
    pipe.stdin.write("out lost\n")
    pipe.stdin.flush()
    time.sleep(0.05)
    place.kill()
    ok("restore", "--store", place.path, "--force", place.at("copy.db"))
    place.serve()
    fresh = place.wire()
    assert fresh.ask("hello", {"v": 1, "session": old})[0] == -9
    again = place.wire()
    assert again.ask("hello", {"v": 1, "session": "new"})[0] == 0
    for token in first[2], second[2]:
        assert again.ask("commit", {"done": [token]})[0] == -12
    got = again.ask("in", "main", ["job", ANY], {"max": 9, "timeout": 0})[1]
    assert [t[1] for t in got] == [["job", 0], ["job", 1], ["job", 2]], got
    assert pipe.stdout.readline().startswith("error unknown ")
    pipe.stdin.write("out found\n")
    pipe.stdin.flush()
    assert pipe.stdout.readline() == "ok\n"
    pipe.stdin.close()
    assert pipe.wait(60) == 0
    assert lock.wait(60) == 8, lock.stderr.read()
    assert again.ask("out", "main", ["later", 5])[0] == 0
    assert waiting.communicate(timeout=60)[0] == '["later", 5]\n' and waiting.returncode == 0
    assert again.ask("out", "main", ["task", 6])[0] == 0
    out = worker.communicate(timeout=60)
    assert (out[0], worker.returncode) == ("6\n", 0), (out, worker.returncode)
    place.server.terminate()
    assert place.server.wait(60) == 0
    assert "is sound" in ok("check", "--store", place.path)


harness.main()
