"""Work with dependencies: a job begins when all it needs is there.

    tilia run --on 4/local docs/examples/recipes/dependencies.py

A job is ("job", name, [what it needs]); what is made is ("made", name). A worker takes a job
whose needs are met in one step: the job, and a look at each thing it needs.
"""
import time

import tilia

RECIPE = {"flour": [], "eggs": [], "butter": [], "dough": ["flour", "eggs", "butter"], "tin": [],
          "cake": ["dough", "tin"], "table": [], "party": ["cake", "table"]}
space = tilia.space()
if tilia.rank == 0:
    for name, needs in reversed(list(RECIPE.items())):
        space.out("job", name, needs)


def ready():
    """A job whose needs are met, taken; None: no more jobs."""
    while True:
        if space.rdp("made", "party"):
            return None
        for _, name, needs in space.rdp("job", str, list, max=100):
            with space.atomic(timeout=0) as step:
                job = step.in_("job", name, needs)
                for need in needs:
                    step.rd("made", need)
            if job.tuple:
                return job
        time.sleep(0.01)


while True:
    job = ready()
    if job is None:
        break
    space.out("order", job[1])
    space.out("made", job[1])
if tilia.rank == 0:
    order = [t[1] for t in space.rd("order", str, max=100)]
    for name, needs in RECIPE.items():
        assert all(order.index(need) < order.index(name) for need in needs), order
    print("ok: " + " ".join(order))
