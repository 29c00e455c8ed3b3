"""A rate limit over all hosts: at most 5 calls in any 0.5 s.

    tilia run --on 4/local docs/examples/recipes/rate_limit.py

There are 5 permits. Who calls takes one and puts it again with a delay: it is hidden until its
time has come. Take and put are one step, so that no permit gets lost.
"""
import time

import tilia

CALLS, SECONDS = 5, 0.5
space = tilia.space()
for i in range(CALLS):
    space.out("permit", i, unless=("permit", i))
space.out("here", tilia.rank)
space.wait("here", int, ge=tilia.size)

for _ in range(4):
    with space.atomic() as step:
        permit = step.in_("permit", int)
        step.out("permit", permit[1], delay=SECONDS)
    space.out("call", time.time())  # here the call is made

space.out("done", tilia.rank)
if tilia.rank == 0:
    space.wait("done", int, ge=tilia.size)
    calls = sorted(call[1] for call in space.in_("call", float, max=1000))
    assert len(calls) == 4 * tilia.size
    for early, late in zip(calls, calls[CALLS:]):
        assert late - early > 0.8 * SECONDS, "too fast: %.3f s" % (late - early)
    print("ok: %d calls in %.1f s" % (len(calls), calls[-1] - calls[0]))
