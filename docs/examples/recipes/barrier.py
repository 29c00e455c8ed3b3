"""A barrier: nobody begins the next round before all have ended this one.

    tilia run --on 4/local docs/examples/recipes/barrier.py

Each says ("here", round, rank) and waits until as many as there are workers have. The tuples of
a round are nobody's to take, so a worker that comes late finds them.
"""
import tilia

space = tilia.space()
for turn in range(3):
    space.out("log", turn, tilia.rank)
    space.out("here", turn, tilia.rank)
    space.wait("here", turn, int, ge=tilia.size)
    early = space.count("log", turn + 1, int)
    assert space.count("log", turn, int) == tilia.size, "somebody is missing"
if tilia.rank == 0:
    print("ok: %d workers met 3 times" % tilia.size)
