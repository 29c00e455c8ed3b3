"""Request and reply: whoever has time answers whoever asks.

    tilia run --on 4/local docs/examples/recipes/request_reply.py

A request carries an id of its own, and its answer that id. The server claims the request, so that
it is asked of another one when it dies; the answer is in the commit that ends the claim.
"""
import uuid

import tilia

space = tilia.space()


def call(name, *args):
    """Asks, and waits for the answer."""
    ticket = uuid.uuid4().bytes
    space.out("call", ticket, name, list(args))
    return space.in_("answer", ticket, ...)[2]


FUNCTIONS = {"add": lambda a, b: a + b, "upper": str.upper}

if tilia.rank:
    assert call("add", tilia.rank, 1) == tilia.rank + 1
    assert call("upper", "linden") == "LINDEN"
    space.out("done", tilia.rank)
else:
    for _ in range(2 * (tilia.size - 1)):
        for request in space.claims("call", bytes, str, list, lease=30):
            with request:
                _, ticket, name, args = request
                request.out("answer", ticket, FUNCTIONS[name](*args))
            break
    space.wait("done", int, ge=tilia.size - 1)
    print("ok: %d calls answered" % (2 * (tilia.size - 1)))
