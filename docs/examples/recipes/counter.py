"""A counter that many raise at once, without losing a step and without a moment when it is gone.

    tilia run --on 4/local docs/examples/recipes/counter.py
"""
import tilia

space = tilia.space()
space.out("counter", 0, unless=("counter", int))  # whoever comes first makes it
for _ in range(50):
    with space.atomic() as step:
        counter = step.in_("counter", int)
        step.out("counter", counter[1] + 1)
    assert space.rdp("counter", int), "it is always there"
space.out("done", tilia.rank)
if tilia.rank == 0:
    space.wait("done", int, ge=tilia.size)
    assert space.rd("counter", int)[1] == 50 * tilia.size
    print("ok: %d" % (50 * tilia.size))
