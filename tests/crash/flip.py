#!/usr/bin/python3
"""One bit of a real store flips: tiliad names the damage and refuses, or has the same tuples."""
import os
import random
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness  # noqa: E402
from fleet import Fleet  # noqa: E402
from wire import Wire  # noqa: E402

FLIPS = 1000 if os.environ.get("SOAK") else 100
FILES = "store.db", "store.db-wal", "store.db.lock"


def start_on(fleet, folder):
    """A server on a copy of the store in this folder."""
    fleet.store = os.path.join(folder, "store.db")
    fleet.start(wait=False)
    harness.until(lambda: os.path.exists(fleet.sock) or fleet.server.poll() is not None, "ready or refused")


def copy_of(fleet, name):
    folder = os.path.join(fleet.folder, name)
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder)
    for file in FILES:
        shutil.copy(os.path.join(fleet.folder, file), folder)
    return folder


def flip(rng, folder):
    """Flips a bit: in the database or its WAL, seldom in the small lock file."""
    path = os.path.join(folder, rng.choice(FILES[:2]) if rng.random() < 0.95 else FILES[2])
    with open(path, "r+b") as f:
        at = rng.randrange(8 * os.path.getsize(path))
        f.seek(at // 8)
        byte = f.read(1)[0]
        f.seek(at // 8)
        f.write(bytes([byte ^ 1 << at % 8]))
    return "bit %d of %s" % (at, os.path.basename(path))


def faults(folder):
    """What `tilia check` says of a store that is not sound, or nothing."""
    p = subprocess.run([harness.TILIA, "check", "--store", os.path.join(folder, "store.db")],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert p.returncode == 0 and "is sound" in p.stdout or p.returncode in (1, 7) and p.stdout + p.stderr, p
    return p.stdout + p.stderr if p.returncode else ""


def drained(fleet):
    """The tuples it gives out, and whether that is all there are: it may find the damage late."""
    w, told = Wire(fleet.server.address), []
    try:
        while True:
            reply = w.ask("in", "main", None, {"timeout": 0, "max": 200})
            if not reply[1]:
                return told, True
            told += [(number, fields) for number, fields in reply[1]]
    except (AssertionError, OSError):
        fleet.server.wait(20)
        return told, False


def test_a_flipped_bit_is_named_or_harmless():
    fleet = Fleet("cCcC", seed=31)
    fleet.man()
    w = Wire(fleet.server.address)
    for i in range(20):  # that the clients do not take
        assert w.ask("outs", "main", [["kept", i, i * 50 + j, "y" * (i * j % 300)] for j in range(50)])[0] == 0
    fleet.progress(each=2000)
    for client in fleet.clients:  # a batch that nobody was told of may go: there is none
        client.stdin.close()
        assert client.wait(60) == 0
    fleet.kill()
    rng = random.Random(fleet.seed)
    start_on(fleet, copy_of(fleet, "whole"))
    whole, _ = drained(fleet)
    fleet.kill()
    refused = late = 0
    for _ in range(FLIPS):
        folder = copy_of(fleet, "flipped")
        what = flip(rng, folder)
        open(fleet.sock + ".log", "w").close()
        found = faults(folder)
        start_on(fleet, folder)
        if fleet.server.poll() is None:
            told, is_all = drained(fleet)
            assert told == (whole if is_all else whole[:len(told)]), what
            if is_all:
                fleet.kill()
                continue
            late += 1
        assert found, (what, fleet.server_log())  # what a start refuses, check has found
        assert fleet.server.poll() == 1, (what, fleet.server.returncode, fleet.server_log())
        assert "level=fatal" in fleet.server_log() and folder in fleet.server_log(), (what, fleet.server_log())
        refused += 1
    print("# %d flips (seed %d), %d tuples: %d refused, %d of them late, %d harmless" % (
        FLIPS, fleet.seed, len(whole), refused, late, FLIPS - refused))
    assert refused > 0 and whole


harness.main()
