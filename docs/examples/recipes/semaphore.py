"""A semaphore: at most two at once, whoever dies gives its place back.

    tilia run --on 4/local docs/examples/recipes/semaphore.py

There is one ("permit", i) for each place. Who wants in claims one: the lease, renewed while the
work goes on, gives it back when its holder is gone.
"""
import tilia

PLACES = 2
space = tilia.space()
for i in range(PLACES):
    space.out("permit", i, unless=("permit", i))  # once, whoever comes first
for turn in range(10):
    for permit in space.claims("permit", int, lease=30):
        with permit:  # given back below, not done: it is to be there for the next
            space.out("inside", tilia.rank)
            inside = space.count("inside", int)
            assert inside <= PLACES, "%d inside" % inside
            space.in_("inside", tilia.rank)
            permit.back()
        break
space.out("done", tilia.rank)
if tilia.rank == 0:
    space.wait("done", int, ge=tilia.size)
    assert space.count("permit", int) == PLACES
    print("ok: %d workers, never more than %d inside" % (tilia.size, PLACES))
