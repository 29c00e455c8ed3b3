"""What tests/crash/worker.c does, with the Python client.

    worker.py ADDRESS NAME SEED THREADS LOG
"""
import os
import random
import select
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "libclient", "python"))
import tilia  # noqa: E402

ADDRESS, NAME, SEED, THREADS, LOG = sys.argv[1:]
log = os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def note(*words):
    os.write(log, (" ".join(map(str, words)) + "\n").encode())


def put(space, rng, key):
    note("p", key)
    try:
        note("P", key, space.out("job", key % 4, key, "x" * rng.randrange(100)))
    except tilia.Unknown as error:
        note("U", key, error.code)
    except tilia.Error as error:
        note("X", key, error.code)


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


def live(space, thread):
    poll = select.poll()
    poll.register(0, select.POLLIN)
    rng = random.Random("%s %s %d" % (SEED, NAME, thread))
    key = int(NAME) * 10000000 + thread * 1000000
    while not poll.poll(0):
        if rng.random() < 0.52:
            put(space, rng, key)
            key += 1
        else:
            take(space, rng)


def main():
    with tilia.space(address=ADDRESS) as space:
        others = [threading.Thread(target=live, args=(space, i)) for i in range(1, int(THREADS))]
        for one in others:
            one.start()
        live(space, 0)
        for one in others:
            one.join()
    note("end", 0)


main()
