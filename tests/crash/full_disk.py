#!/usr/bin/python3
"""A real server on a disk that is full: puts are refused, takes go on until the space is empty,
and when there is room again everything goes on, without a restart.

Twice: on a disk that a preloaded object makes small, and on a small tmpfs in a mount namespace of
our own. There the script runs itself again, with the mount as SMALL_TMPFS."""
import os
import sqlite3
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness  # noqa: E402
from fleet import preload  # noqa: E402
from wire import Wire  # noqa: E402

MIB = 1 << 20
FULL = -7
DEPTH = 1000  # requests at once
TMPFS = os.environ.get("SMALL_TMPFS")


class Quota:
    """A folder with a size, by smalldisk.so."""

    def __init__(self, name, size):
        self.folder = os.path.join(harness.folder(), name)
        os.mkdir(self.folder)
        self.size = size
        self.env = dict(preload("smalldisk"), SMALLDISK=self.folder)
        self.free()

    def _set(self, size):
        with open(self.folder + ".new", "w") as f:
            f.write(str(size))
        os.rename(self.folder + ".new", self.folder + ".size")

    def used(self):
        return sum(os.stat(e.path).st_blocks * 512 for e in os.scandir(self.folder))

    def fill(self):
        self._set(self.used())

    def free(self):
        self._set(self.size)


class Tmpfs:
    """The mount, whole, and a file of ballast in it."""

    def __init__(self, name, size):
        self.folder = os.path.join(TMPFS, name)
        os.mkdir(self.folder)
        self.env = dict(os.environ)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%d" % size, "none", self.folder], check=True)
        self.ballast = os.path.join(self.folder, "ballast")

    def fill(self):
        with open(self.ballast, "ab", buffering=0) as f:
            for n in (MIB, 4096):
                try:
                    while True:
                        f.write(bytes(n))
                except OSError:
                    pass

    def free(self):
        os.unlink(self.ballast)


Disk = Tmpfs if TMPFS else Quota


class Server:
    def __init__(self, disk, *args):
        self.disk, self.args = disk, args
        self.store = os.path.join(disk.folder, "store.db")
        self.start()

    def start(self):
        self.process = harness.tiliad("--store", self.store, *self.args, env=self.disk.env)
        self.wire = Wire(self.process.address)

    def kill(self):
        self.wire.close()
        self.process.kill()
        self.process.wait()

    def log(self):
        with open(self.process.sock + ".log") as f:
            return f.read()

    def many(self, requests):
        """Sends them, DEPTH at once; the replies without their numbers, in order: a refusal
        overtakes what must be durable first."""
        requests, replies = list(requests), {}
        for at in range(0, len(requests), DEPTH):
            part = requests[at:at + DEPTH]
            for request in part:
                self.wire.send(*request)
            for _ in part:
                n, *reply = self.wire.receive(60)
                replies[n] = reply
        return [replies[n] for n in sorted(replies)]

    def put(self, keys, size=300):
        """Puts them, and answers which were accepted."""
        codes = [reply[0] for reply in self.many(
            ["out", "main", [key, "%08d" % key + "x" * size]] for key in keys)]
        assert set(codes) <= {0, FULL}, set(codes)
        return [key for key, code in zip(keys, codes) if code == 0]

    def put_until_full(self, key, size=300):
        put = []
        while True:
            keys = range(key, key + DEPTH)
            some = self.put(keys, size)
            put += some
            key += DEPTH
            if len(some) < DEPTH:
                return put
            assert len(put) < 1000000

    def take(self, count):
        """Takes so many, and answers their keys."""
        replies = self.many(["in", "main", None, {"timeout": 0}] for _ in range(count))
        assert {reply[0] for reply in replies} <= {0}, replies[0]
        return [t[1][0] for reply in replies if reply[1] for t in reply[1]]

    def refused(self):
        code, text = self.wire.ask("out", "main", ["no", 1])[:2]
        assert code == FULL and text == "out: the disk is full", (code, text)

    def has_room(self):
        return self.wire.ask("out", "main", ["again", 1])[0] == 0

    def goes_on(self):
        """There is room: puts are let in, without a restart."""
        harness.until(self.has_room, "puts are let in again")
        assert self.process.poll() is None
        assert self.put(range(1000)) == list(range(1000))

    def check(self):
        """Ends it; the file is sound."""
        self.wire.close()
        self.process.terminate()
        assert self.process.wait(60) == 0, self.log()
        db = sqlite3.connect(self.store)
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        db.close()


def test_a_store_that_fills_its_disk_drains():
    server = Server(Disk("itself", 48 * MIB))
    put = server.put_until_full(0)
    assert len(put) > 20000, len(put)
    server.refused()
    waiting = Wire(server.process.address)
    waiting.send("out", "main", ["late", 1], {"wait": True})
    assert waiting.silent()
    assert server.take(len(put)) == put
    assert waiting.receive()[1] == 0  # what was taken has made room
    server.goes_on()
    assert "the disk is full" in server.log() and "the disk has room" in server.log()
    server.check()


def test_others_fill_the_disk():
    disk = Disk("others", 96 * MIB)
    server = Server(disk)
    put = server.put(range(20000))
    disk.fill()
    put += server.put_until_full(20000)
    server.refused()
    keeper = Wire(server.process.address)
    assert keeper.ask("hello", {"session": "new"})[0] == 0
    claim = keeper.ask("in", "main", None, {"lease": 60000})[1][0]
    assert claim[1][0] == put.pop(0)
    assert server.take(len(put) // 2) == put[:len(put) // 2]
    server.refused()
    assert keeper.ask("commit", {"done": [claim[2]]})[0] == 0
    assert keeper.ask("bye")[0] == 0
    assert server.take(len(put)) == put[len(put) // 2:]
    assert server.wire.ask("count", "main", None) == [0, 0]
    disk.free()
    server.goes_on()
    server.check()


def test_a_server_killed_on_a_full_disk_starts_there():
    disk = Disk("killed", 96 * MIB)
    server = Server(disk)
    put = server.put(range(20000))
    disk.fill()
    put += server.put_until_full(20000)
    for _ in range(3):
        assert server.take(2000) == put[:2000]
        del put[:2000]
        server.kill()
        server.start()
        put += server.put_until_full(100000 + put[-1])
    assert server.take(len(put)) == put
    disk.free()
    server.goes_on()
    server.check()


def test_takes_go_on_while_a_reader_holds_the_log():
    disk = Disk("reader", 96 * MIB)
    server = Server(disk)
    put = server.put(range(20000))
    reader = sqlite3.connect(server.store, isolation_level=None)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM tuple").fetchone() == (20000,)
    disk.fill()
    put += server.put_until_full(20000)
    server.refused()
    assert server.take(len(put)) == put
    assert server.wire.ask("count", "main", None) == [0, 0]
    assert reader.execute("SELECT count(*) FROM tuple").fetchone() == (20000,)
    reader.close()
    disk.free()
    server.goes_on()
    server.check()


def test_a_log_that_a_reader_holds_has_a_limit():
    server = Server(Disk("log", 256 * MIB), "--max-log", "8M")
    assert server.put(range(10)) == list(range(10))
    reader = sqlite3.connect(server.store, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM tuple").fetchone()
    put = list(range(10)) + server.put_until_full(10)
    server.refused()
    log = server.log()
    assert "grown to its limit: puts are refused" in log, log
    assert "reader_ms=" in log and log.index("so it grows") < log.index("to its limit"), log
    assert server.take(1000) == put[:1000]
    server.refused()
    reader.close()
    server.goes_on()
    assert server.take(len(put) - 1000) == put[1000:]
    server.check()


def test_a_commit_waits_for_room_when_nothing_is_left():
    """Even the reserve is not enough for what one batch wants: nothing is answered, nothing is
    lost, and with room it is done."""
    disk = Disk("nothing", 96 * MIB)
    server = Server(disk)
    put = server.put(range(1000))
    os.truncate(server.store + ".reserve", 0)
    disk.fill()
    sent = {server.wire.send("out", "main", [key, "y" * 500000]): key for key in range(1000, 1060)}
    harness.until(lambda: "everything waits" in server.log(), "the commit waits")
    other = Wire(server.process.address)
    assert other.ask("ping")[0] == 0  # the server answers what needs no disk
    disk.free()
    codes = dict(server.wire.receive(60)[:2] for _ in sent)
    assert set(codes.values()) <= {0, FULL} and 0 in codes.values(), codes
    put += [sent[n] for n in sorted(sent) if codes[n] == 0]
    assert server.take(len(put)) == put
    server.goes_on()
    server.check()


def breaks(disk, broken):
    if broken:
        open(disk.folder + ".broken", "w").close()
    else:
        os.unlink(disk.folder + ".broken")


if not TMPFS:
    def test_a_failed_sync_ends_the_server():
        """Even for want of room: what such a sync left on the disk is not known."""
        disk = Disk("sync", 96 * MIB)
        server = Server(disk)
        put = server.put(range(1000))
        breaks(disk, True)
        server.wire.send("out", "main", ["not", "answered"])
        assert server.wire.receive() is None
        assert server.process.wait(20) == 1
        assert "the journal failed" in server.log() and "cannot commit batch" in server.log(), server.log()
        breaks(disk, False)
        server.start()
        taken = server.take(len(put) + 1)
        assert taken in (put, put + ["not"]), taken[-2:]
        server.check()

    def test_and_so_on_a_tmpfs():
        folder = os.path.join(harness.folder(), "mount")
        os.mkdir(folder)
        unshare = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
        probe = subprocess.run([*unshare, "mount", "-t", "tmpfs", "none", folder], capture_output=True, text=True)
        if probe.returncode != 0:
            raise harness.Skip("no mount namespace of our own: " + probe.stderr.strip())
        inner = subprocess.run([*unshare, sys.executable, os.path.abspath(__file__)],
                               env=dict(os.environ, SMALL_TMPFS=folder), capture_output=True, text=True)
        assert inner.returncode == 0, inner.stdout + inner.stderr
        assert inner.stdout.count("ok ") == 6, inner.stdout


if __name__ == "__main__":
    harness.main()
