"""Leader election: one leads; when it is gone, another does, and knows that it is later.

    tilia run --on 3/local docs/examples/recipes/leader.py

The leader holds a claim of ("leader",). Its token rises from leader to leader: whoever is told to
do something remembers the highest it has seen, and refuses an older one.
"""
import tilia

space = tilia.space()
space.out("leader", unless=("leader",))
for crown in space.claims("leader", lease=2):
    space.out("order", crown.token, tilia.rank)  # leads a while
    if space.count("order", int, int) < tilia.size:
        crown.back()  # abdicates; were it dead, its lease would end
    else:
        crown.done()
        space.out("end")
    break
space.rd("end")
if tilia.rank == 0:
    tokens = [order[1] for order in space.rd("order", int, int, max=100)]
    assert len(tokens) == tilia.size and tokens == sorted(set(tokens)), tokens
    print("ok: %d leaders, one after the other" % len(tokens))
