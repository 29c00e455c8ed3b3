#!/usr/bin/python3
"""Workers die by kill -9 at random, and the server too: every job has its result exactly once, no claim
is left, and the tries are right. Half of the workers are `tilia work`, half Python with space.claims."""
import collections
import os
import random
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness  # noqa: E402
import tilia  # noqa: E402

WORKERS = 8
JOBS = int(os.environ.get("JOBS") or (100000 if os.environ.get("SOAK") else 3000))
KILLS = JOBS // 60       # so many, spread over the jobs
SERVER_KILLS = 2
LEASE = 2                # seconds
PYTHON = """
import os, sys, tilia
log = os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND)
for job in tilia.space(address=sys.argv[1]).claims("job", int, lease=%d):
    with job:
        os.write(log, b"%%d %%d %%d\\n" %% (job[1], job.tries, job.token))
        job.out("result", job[1], str(job.tries))
""" % LEASE
COMMAND = 'echo "$TILIA_n $TILIA_TRIES $TILIA_TOKEN" >> "$LOG"; echo $TILIA_TRIES'


class Workers:
    """Eight of them; who is killed is replaced."""

    def __init__(self, address, log):
        self.address, self.log = address, log
        self.env = dict(os.environ, TILIA=address, LOG=log,
                        PYTHONPATH=os.path.join(harness.ROOT, "libclient", "python"))
        self.kills = self.lost = 0  # lost: claims that may have been open in them
        self.all = [self.start(i) for i in range(WORKERS)]

    def start(self, i):
        if i % 2:
            argv = [sys.executable, "-c", PYTHON, self.address, self.log]
        else:
            argv = [harness.TILIA, "work", "-j", str(1 + i // 2), "--lease", "%ds" % LEASE,
                    "--out", '["result", {n}, {stdout}]', "job", "n:int", "--", COMMAND]
        return harness.start(argv, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)

    def kill(self, i):
        self.all[i].send_signal(signal.SIGKILL)
        self.all[i].wait()
        self.kills += 1
        self.lost += 1 if i % 2 else 1 + i // 2
        self.all[i] = self.start(i)

    def end(self):
        """All of `tilia work` leave by themselves, with 0 or 5."""
        for i, p in enumerate(self.all):
            p.send_signal(signal.SIGKILL if i % 2 else signal.SIGTERM)
        for i, p in enumerate(self.all):
            assert p.wait(30) in ((-9,) if i % 2 else (0, 5)), p.returncode


def drain(space):
    while True:
        some = space.inp("result", int, str, max=1000)
        if not some:
            return
        yield from some


def test_workers_and_the_server_are_killed():
    store, log = (os.path.join(harness.folder(), name) for name in ("store.db", "log"))
    open(log, "w").close()
    server = harness.tiliad("--store", store)
    space = tilia.space(address=server.address)
    for at in range(0, JOBS, 1000):
        space.outs([("job", n) for n in range(at, min(at + 1000, JOBS))])
    workers = Workers(server.address, log)
    rng = random.Random(harness.SEED)
    restarts, deadline = 0, time.monotonic() + 120 + JOBS / 20
    while True:
        left = space.count("job", int)
        if left == 0:
            break
        assert time.monotonic() < deadline, "%d jobs are left" % left
        if workers.kills < KILLS * (JOBS - left) / JOBS + 1:
            workers.kill(rng.randrange(WORKERS))
        if restarts < SERVER_KILLS and JOBS - left > JOBS * (restarts + 1) / (SERVER_KILLS + 1):
            restarts += 1
            server.kill()
            server.wait()
            server = harness.tiliad("--store", store, sock=server.sock)
        time.sleep(rng.random() / 50)
    workers.end()
    results = list(drain(space))
    assert collections.Counter(r[1] for r in results) == collections.Counter(range(JOBS))
    assert space.count() == 0 and space.stats()["claims"] == 0
    begun = collections.defaultdict(list)
    for line in open(log):
        number, tries, token = map(int, line.split())
        begun[number].append((tries, token))
    again = 0
    for _, number, tries in results:
        seen = sorted(begun[number])
        assert seen[-1][0] == int(tries), (number, tries, seen)  # the last try is the one that counts
        assert len({t for t, _ in seen}) == len(seen) == len({t for _, t in seen}), (number, seen)
        assert [t for _, t in seen] == sorted(t for _, t in seen), (number, seen)  # tokens rise with the tries
        again += int(tries) - 1
    assert again <= workers.lost, (again, workers.lost)
    print("# %d jobs, %d kills (seed %d), %d of the server: %d claimed again" % (
        JOBS, workers.kills, harness.SEED, restarts, again))
    server.terminate()
    server.wait()


harness.main()
