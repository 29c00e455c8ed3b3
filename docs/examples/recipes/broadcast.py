"""Broadcast: everybody hears everything, in the same order.

    tilia run --on 4/local docs/examples/recipes/broadcast.py

A news tuple is read and left there; who reads remembers the id of the last it has seen. `rd` with
`after` waits for the next one.
"""
import tilia

space = tilia.space()
if tilia.rank == 0:
    for i in range(20):
        space.out("news", "item %d" % i)
heard, last = [], 0
while len(heard) < 20:
    news = space.rd("news", str, after=last)
    heard.append(news[1])
    last = news.id
space.out("heard", tilia.rank, heard)
if tilia.rank == 0:
    lists = [space.in_("heard", int, list)[2] for _ in range(tilia.size)]
    assert all(one == lists[0] for one in lists)
    print("ok: %d listeners heard the same %d items" % (tilia.size, len(lists[0])))
