#!/usr/bin/python3
"""Workers that are killed at random lose no job and do none twice."""
import collections
import os
import random
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness
import tilia

WORKERS, JOBS, KILLS = 8, 1500, 25
WORKER = """
import sys, tilia
space = tilia.space(address=sys.argv[1])
for job in space.claims("job", int, lease=1):
    with job:
        job.out("result", job[1], job.tries)
"""


def worker(address):
    env = dict(os.environ, PYTHONPATH=os.path.join(harness.ROOT, "libclient", "python"))
    return subprocess.Popen([sys.executable, "-c", WORKER, address], env=env, stderr=subprocess.DEVNULL)


def test_workers_are_killed():
    store = os.path.join(harness.folder(), "store.db")
    server = harness.tiliad("--store", store)
    space = tilia.space(address=server.address)
    space.outs([("job", n) for n in range(JOBS // 2)])
    space.outs([("job", n) for n in range(JOBS // 2, JOBS)])
    workers = [worker(server.address) for _ in range(WORKERS)]
    rng = random.Random(harness.SEED)
    killed = 0
    try:
        deadline = time.monotonic() + 100
        while space.count("result", int, int) < JOBS:
            assert time.monotonic() < deadline, space.count("result", int, int)
            if killed < KILLS:
                at = rng.randrange(WORKERS)
                workers[at].send_signal(signal.SIGKILL)
                workers[at].wait()
                workers[at] = worker(server.address)
                killed += 1
            time.sleep(rng.random() / 10)
    finally:
        for one in workers:
            one.kill()
            one.wait()
    results = space.in_("result", int, int, max=1000)
    while True:
        more = space.inp("result", int, int, max=1000)
        if not more:
            break
        results += more
    done = collections.Counter(result[1] for result in results)
    assert sorted(done) == list(range(JOBS)) and set(done.values()) == {1}
    again = sum(result[2] - 1 for result in results)
    assert again <= killed, (again, killed)  # a worker has one job at a time
    assert space.count() == 0 and space.stats()["claims"] == 0
    print("  %d of %d jobs were claimed again after %d kills" % (again, JOBS, killed))


harness.main()
