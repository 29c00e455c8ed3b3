"""Five philosophers: each needs two forks at once, and none starves.

    tilia run --on 5/local docs/examples/recipes/dining_philosophers.py

Both forks are taken in one step or none is, so nobody sits there with one fork in the hand.
"""
import tilia

space = tilia.space()
left, right = tilia.rank, (tilia.rank + 1) % tilia.size
if tilia.rank == 0:
    for i in range(tilia.size):
        space.out("fork", i)
for _ in range(20):
    with space.atomic() as step:
        step.in_("fork", left)
        step.in_("fork", right)
    space.out("eats", tilia.rank)
    assert space.rdp("eats", (tilia.rank + 1) % tilia.size) is None, "my neighbour has my fork"
    space.in_("eats", tilia.rank)
    space.out("fork", left)
    space.out("fork", right)
space.out("fed", tilia.rank)
if tilia.rank == 0:
    space.wait("fed", int, ge=tilia.size)
    assert space.count("fork", int) == tilia.size
    print("ok: %d philosophers ate 20 times each" % tilia.size)
