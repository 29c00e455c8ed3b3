"""A priority queue: the most urgent job first, of equal ones the oldest.

    tilia run --on 1/local docs/examples/recipes/priority_queue.py
"""
import random

import tilia
from tilia import formals

space = tilia.space()
urgency = [random.randrange(5) for _ in range(50)]
for i, u in enumerate(urgency):
    space.out("job", u, i)

first = formals.least(int)
got = [tuple(job[1:]) for job in (space.inp("job", first, int) for _ in urgency)]
assert got == sorted((u, i) for i, u in enumerate(urgency)), got
assert space.inp("job", first, int) is None
print("ok: %d jobs in the order of their urgency" % len(got))
