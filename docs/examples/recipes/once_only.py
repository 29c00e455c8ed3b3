"""A job that many ask for and that is done once.

    tilia run --on 4/local docs/examples/recipes/once_only.py

`unless` puts a tuple only if nothing like it exists, claimed ones included; the job and the mark
that it was done are one tuple after the other, with no moment between them.
"""
import tilia

space = tilia.space()
for name in ("build", "test", "deploy"):
    space.out("job", name, "wanted", unless=("job", name, ...))
space.out("asked", tilia.rank)
space.wait("asked", int, ge=tilia.size)

for job in space.claims("job", str, "wanted", lease=30, drain=True):
    with job:
        space.out("ran", job[1], tilia.rank)
        job.out("job", job[1], "done")  # in the commit that ends the claim
if tilia.rank == 0:
    space.wait("job", str, "done", ge=3)
    for name in ("build", "test", "deploy"):
        assert space.count("ran", name, int) == 1
    print("ok: 3 jobs, asked for by %d workers, each done once" % tilia.size)
