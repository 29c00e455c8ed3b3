"""What tests/crash/worker.c does, with the Python client.

    worker.py ADDRESS NAME SEED THREADS LOG [all]
    tilia run --on N/local worker.py "" NAME SEED THREADS LOG all STOP

Under `tilia run` worker k of them is NAME + k and writes LOG with that number in the place of %; all
end when there is a file STOP.
"""
import os
import random
import select
import sys
import threading

if "tilia" not in sys.modules:  # else: under `tilia run`
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "libclient", "python"))
import tilia  # noqa: E402

ADDRESS, NAME, SEED, THREADS, LOG, ALL, STOP = (sys.argv[1:] + [""] * 2)[:7]
LEASE = 600  # seconds: nobody lives so long
if STOP:
    NAME = str(int(NAME) + tilia.rank)
    LOG = LOG.replace("%", str(int(NAME) - 1))
log = os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def note(*words):
    os.write(log, (" ".join(map(str, words)) + "\n").encode())


def puts(key, run):
    """Calls what puts `key`, and writes down what came of it: whether it was done."""
    note("p", key)
    try:
        number = run()
    except tilia.Unknown as error:
        note("U", key, error.code)
    except tilia.Error as error:
        note("X", key, error.code)
    else:
        note(*("D", key) if number is None else ("P", key, number))
        return number is not None


def put(space, rng, key):
    puts(key, lambda: space.out("job", key % 4, key, "x" * rng.randrange(100)))


def claim(space, rng, key):
    """Ends a claim as done and puts `key` in the same step, or gives it back."""
    for job in space.claims("job", int, int, str, lease=LEASE, timeout=0 if rng.random() < 0.5 else 0.02):
        note("C", job[2], job.id, job.tries, job.token)
        if rng.random() < 0.5:
            take(space, rng)
        if rng.random() < 0.2:
            job.renew()
        if rng.random() < 0.2:
            job.back()
            return note("R", job[2], job.id)
        job.out("job", key % 4, key, "")
        if puts(key, lambda: job.done()[0]):
            note("T", job[2], job.id)
        return


def atomic(space, rng, key):
    """Takes one and puts `key` with the other's filler: both or neither."""
    step = space.atomic(timeout=0)
    step.no("stop")
    job = step.in_("job", int, int, str)
    step.out("job", key % 4, key, job[3])
    if puts(key, lambda: (step.run() or [None])[0]):
        note("T", job[2], job.tuple.id)


def take(space, rng):
    most = 1 if rng.random() < 0.8 else rng.randrange(2, 6)
    timeout = 0 if rng.random() < 0.66 else rng.random() * 0.04
    lane = int if rng.random() < 0.5 else rng.randrange(4)
    note("t", most)
    try:
        got = space.in_("job", lane, int, str, max=most, timeout=timeout)
    except tilia.Timeout:
        got = []
    except tilia.Unknown as error:
        return note("V", error.code, most)
    except tilia.Error as error:
        return note("E", error.code, most)
    if not got:
        note("N")
    for one in got:
        note("T", one[2], one.id)


def is_over():
    if STOP:
        return os.path.exists(STOP)
    poll = select.poll()
    poll.register(0, select.POLLIN)
    return poll.poll(0)


def live(space, thread):
    rng = random.Random("%s %s %d" % (SEED, NAME, thread))
    key = int(NAME) * 10000000 + thread * 1000000
    while not is_over():
        if ALL and rng.random() < 0.25:
            rng.choice((claim, atomic))(space, rng, key)
            key += 1
        elif rng.random() < (0.6 if ALL else 0.52):
            put(space, rng, key)
            key += 1
        else:
            take(space, rng)


def main():
    with tilia.space(address=ADDRESS or None) as space:
        others = [threading.Thread(target=live, args=(space, i)) for i in range(1, int(THREADS))]
        for one in others:
            one.start()
        live(space, 0)
        for one in others:
            one.join()
    note("end", 0)


main()
