"""A bounded buffer: a producer that is too fast waits.

    tilia run --on 3/local docs/examples/recipes/bounded_buffer.py

The space takes 10 tuples at most; `wait=True` lets an `out` wait for room.
"""
import tilia

ITEMS = 200
main = tilia.space()
if tilia.rank == 0:
    tilia.space("buffer").create(tuples=10)
    main.out("made")
main.rd("made")
buffer = tilia.space("buffer")
if tilia.rank == 0:
    for i in range(ITEMS):
        buffer.out("item", i, wait=True)
        assert buffer.count() <= 10
    buffer.out("item", None, wait=True)  # the end
else:
    item = buffer.in_("item", ...)
    while item[1] is not None:
        main.out("got", item[1])
        item = buffer.in_("item", ...)
    buffer.out("item", None)  # the end is for the others, too
if tilia.rank == 0:
    main.wait("got", int, ge=ITEMS)
    got = [t[1] for t in main.rd("got", int, max=ITEMS)]
    assert sorted(got) == list(range(ITEMS))
    print("ok: %d items through a buffer of 10" % ITEMS)
