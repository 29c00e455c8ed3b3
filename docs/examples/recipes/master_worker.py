"""Master and worker: one hands out, all work, results come as they are ready.

    tilia run --on 4/local docs/examples/recipes/master_worker.py

Jobs are claimed: one whose worker dies is done by another, and its result is put once.
"""
import tilia

JOBS = 200
space = tilia.space()


def factors(n):
    found, d = [], 2
    while d * d <= n:
        while n % d == 0:
            found.append(d)
            n //= d
        d += 1
    return found + [n] * (n > 1)


if tilia.rank == 0:
    for n in range(10**6, 10**6 + JOBS):
        space.out("number", n)
    results = {}
    while len(results) < JOBS:
        for _, n, found in space.in_("factors", int, list, max=50):
            assert n not in results
            results[n] = found
    space.out("end")
    assert all(n == __import__("math").prod(found) for n, found in results.items())
    print("ok: %d numbers, %d primes" % (JOBS, sum(len(f) == 1 for f in results.values())))
else:
    while not space.rdp("end"):
        for job in space.claims("number", int, lease=30, timeout=0.2):
            with job:
                job.out("factors", job[1], factors(job[1]))
