"""Very many waiters are served in the order of their asking; a timeout takes its time."""
import os
import signal
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import cbor2
import harness
from wire import ANY, Wire, head

CONNECTIONS, EACH, AT_ONCE = 100, 1000, 100


def requests(first, count, *request):
    """Frames of one request under `count` numbers, quicker than encoding each."""
    tail = cbor2.dumps(list(request), canonical=True)[1:]
    body = b"%c\x1a%%b%b" % (0x81 + len(request), tail)
    return b"".join(head(len(body) + 2) + body % struct.pack(">I", n) for n in range(first, first + count))


def wait_in_turns(conns):
    """Each connection asks 100 times, and then the next one; the order is kept by a ping behind
    every 100, whose reply says that they wait. Answers who waits where: (connection, number)."""
    order, number = [], 1
    for _ in range(EACH // AT_ONCE):
        for c in conns:
            c.raw(requests(number, AT_ONCE, "in", "main", ["job", ANY]) + requests(number + AT_ONCE, 1, "ping"))
            assert c.receive()[:2] == [number + AT_ONCE, 0]
            order += [(c, n) for n in range(number, number + AT_ONCE)]
        number += AT_ONCE + 1
    return order


def test_100000_waiters_of_one_shape_are_served_in_order():
    server = harness.tiliad()
    main = Wire(server.address)
    conns = [Wire(server.address) for _ in range(CONNECTIONS)]
    order = wait_in_turns(conns)
    assert main.ask("stats")[1]["waiting"] == len(order) == CONNECTIONS * EACH
    started = time.monotonic()
    for first in range(0, len(order), 1000):
        reply = main.ask("outs", "main", [["job", k] for k in range(first, first + 1000)])
        assert reply[0] == 0, reply
    served = {}
    for c in conns:
        for _ in range(EACH):
            n, code, ((_, job),) = c.receive()
            assert code == 0, (n, code)
            served[c, n] = job[1]
    print("# %d waiters served and read in %.2f s" % (len(order), time.monotonic() - started))
    wrong = [(k, served[w]) for k, w in enumerate(order) if served[w] != k]
    assert not wrong, "%d of %d out of order: %r" % (len(wrong), len(order), wrong[:5])
    after = main.ask("stats")[1]
    assert (after["waiting"], after["tuples"]) == (0, 0), after
    server.send_signal(signal.SIGTERM)
    assert server.wait(20) == 0


def test_a_timeout_of_5_s_on_an_idle_server_takes_5_s():
    server = harness.tiliad()
    c = Wire(server.address)
    started = time.monotonic()
    assert c.ask("in", "main", ["never"], {"timeout": 5000}) == [0, []]
    took = time.monotonic() - started
    print("# a timeout of 5 s took %.4f s" % took)
    assert 4.999 <= took <= 5.5, took  # the server's clock counts whole milliseconds
    assert c.ask("stats")[1]["waiting"] == 0


harness.main()
