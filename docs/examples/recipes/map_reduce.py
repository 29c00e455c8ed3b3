"""Map and reduce: pieces are mapped anywhere, results meet two by two until one is left.

    tilia run --on 4/local docs/examples/recipes/map_reduce.py
"""
import tilia

PIECES = 40
space = tilia.space()
if tilia.rank == 0:
    for i in range(PIECES):
        space.out("piece", list(range(100 * i, 100 * i + 100)))
    space.out("filled")
space.rd("filled")

for piece in space.claims("piece", list, lease=30, drain=True):
    with piece:
        piece.out("part", sum(x * x for x in piece[1]), 1)

while not space.rdp("part", int, PIECES):  # a part says of how many pieces it is
    try:
        space.wait("part", int, int, ge=2, timeout=0.1)
    except tilia.Timeout:
        continue
    with space.atomic(timeout=0) as step:
        a, b = step.in_("part", int, int), step.in_("part", int, int)
    if a.tuple:
        space.out("part", a[1] + b[1], a[2] + b[2])
if tilia.rank == 0:
    total = space.rd("part", int, PIECES)[1]
    assert total == sum(x * x for x in range(100 * PIECES))
    print("ok: the sum is %d" % total)
