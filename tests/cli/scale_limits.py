"""Every limit that a client can run into, at limit - 1, limit and limit + 1."""
import itertools
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import cbor2
import harness
from wire import ANY, Wire, descriptors, formal, frame, head

FRAME, TUPLE, HEADS, TUPLE_HEADS = 16 << 20, 1 << 20, 65536, 16384
MALFORMED, REQUEST, LIMIT, UNACKNOWLEDGED = -1, -2, -4, -11
server = None


def connect():
    """A connection to the one server of this script, whose space is empty."""
    global server
    if server is None:
        server = harness.tiliad()
    c = Wire(server.address)
    while c.ask("in", "main", None, {"max": 1024, "timeout": 0}) != [0, []]:
        pass
    return c


def check_limit(ask, limit, code=LIMIT, words=()):
    """ask(size) is done below and at the limit, and refused above it by name, with `words` in
    its text; and then it is done again."""
    for size in (limit - 1, limit):
        reply = ask(size)
        assert reply[0] == 0, (size, reply)
    reply = ask(limit + 1)
    assert reply[0] == code, (limit + 1, reply)
    for word in words:
        assert str(word) in reply[1], (word, reply)
    assert ask(limit - 1)[0] == 0


def text_tuple(size):
    """A tuple of that many bytes of CBOR."""
    t = ["x" * (size - 10)]
    return ["x" * (size - 10 + size - len(cbor2.dumps(t)))]


def heads_tuple(heads):
    return [[0] * (heads - 2)]


def nested(depth):
    value = 0
    for _ in range(depth):
        value = [value]
    return value


def test_bytes_of_a_tuple():
    c = connect()
    check_limit(lambda n: c.ask("out", "main", text_tuple(n)), TUPLE, words=["out", "1 MiB"])
    assert c.ask("count", "main", None) == [0, 3]
    assert len(cbor2.dumps(c.ask("rd", "main", None, {"after": 0, "max": 2})[1][1][1])) == TUPLE


def test_heads_of_a_tuple():
    c = connect()
    check_limit(lambda n: c.ask("out", "main", heads_tuple(n)), TUPLE_HEADS, words=["out", "16384"])


def test_heads_of_a_message():
    c = connect()
    # The message, its number, op, space and list are 5; three tuples have 16,000 each.
    check_limit(lambda n: c.ask("outs", "main", [heads_tuple(16000)] * 4 + [heads_tuple(n - 5 - 64000)]),
                HEADS, words=["too many", "message"])


def test_depth_of_tuples_and_templates():
    c = connect()
    check_limit(lambda n: c.ask("out", "main", nested(n)), 64, words=["out", "field 0", "deep"])
    check_limit(lambda n: c.ask("rd", "main", nested(n), {"timeout": 0}), 64, words=["rd", "field 0", "deep"])


def test_fields_of_tuples_and_templates():
    c = connect()
    check_limit(lambda n: c.ask("out", "main", [0] * n), 255, words=["out", "255"])
    check_limit(lambda n: c.ask("rd", "main", [0] * n, {"timeout": 0}), 255, words=["rd", "255"])


def test_tuples_of_an_outs():
    c = connect()
    check_limit(lambda n: c.ask("outs", "main", [[i] for i in range(n)]), 1024, words=["outs", "1024"])
    assert c.ask("count", "main", None) == [0, 1023 + 1024 + 1023]
    assert c.ask("outs", "main", []) == [0, []]


def test_max():
    c = connect()
    for first in range(0, 2048, 1024):
        c.ask("outs", "main", [["job", i] for i in range(first, first + 1024)])
    for op in ("rd", "in"):
        check_limit(lambda n: c.ask(op, "main", ["job", ANY], {"max": n, "timeout": 0}), 1024, words=["max", "1024"])
        assert c.ask(op, "main", ["job", ANY], {"max": 0, "timeout": 0})[0] == LIMIT
    assert c.ask("count", "main", None) == [0, 0]
    c.ask("outs", "main", [["job", i] for i in range(1024)])
    assert len(c.ask("in", "main", ["job", ANY], {"max": 1023})[1]) == 1023
    c.ask("outs", "main", [["job", i] for i in range(1023)])
    assert len(c.ask("in", "main", ["job", ANY], {"max": 1024})[1]) == 1024


def test_bytes_of_a_frame():
    other = connect()

    def message(size):
        """An outs in a frame of exactly that size."""
        tuples = [text_tuple(1 << 20) for _ in range(15)]
        used = len(cbor2.dumps([c.number + 1, "outs", "main", tuples + [[""]]]))
        body = cbor2.dumps([c.number + 1, "outs", "main", tuples + [["x" * (size - used - 4)]]])
        assert len(body) == size
        c.number += 1
        return head(size) + body
    for size in (FRAME - 1, FRAME):
        c = Wire(server.address)
        c.raw(message(size))
        reply = c.receive()
        assert reply[:2] == [c.number, 0] and len(reply[2]) == 16, reply[:2]
        assert c.ask("ping") == [0, None]
        while c.ask("in", "main", None, {"max": 1024, "timeout": 0}) != [0, []]:
            pass
    c = Wire(server.address)
    try:
        c.raw(message(FRAME + 1))
    except (BrokenPipeError, ConnectionResetError):
        pass
    reply = c.receive()
    assert reply[:2] == [0, LIMIT] and str(FRAME) in reply[2], reply
    assert c.receive() is None
    assert other.ask("count", "main", None) == [0, 0]


def test_a_reply_is_cut_to_a_frame():
    c = connect()
    for _ in range(17):
        c.ask("out", "main", text_tuple(TUPLE))
    got = c.ask("rd", "main", None, {"max": 17})[1]
    assert len(got) == 15, len(got)  # the 16th would not fit beside the ids
    assert len(c.ask("in", "main", None, {"max": 17})[1]) == 15
    assert len(c.ask("in", "main", None, {"max": 17})[1]) == 2


def test_name_of_a_space():
    c = connect()
    for n, wanted in ((1, 0), (254, 0), (255, 0), (256, REQUEST), (0, REQUEST)):
        reply = c.ask("space", "create", "n" * n)
        assert reply[0] == wanted and (wanted == 0 or "name" in reply[1]), (n, reply)
    for n in (1, 254, 255):
        assert c.ask("out", "n" * n, ["x"])[0] == 0
        assert c.ask("space", "drop", "n" * n) == [0, None]
    assert c.ask("space", "create", "a\nb")[0] == REQUEST


def test_spaces():
    c = Wire(harness.tiliad().address)
    for i in range(1, 4096):
        assert c.ask("space", "create", "s%d" % i) == [0, None], i
    reply = c.ask("space", "create", "one too many")
    assert reply[0] == LIMIT and "spaces" in reply[1], reply
    assert c.ask("space", "drop", "s7") == [0, None]
    harness.until(lambda: c.ask("space", "create", "one too many") == [0, None], "there is room again")


def test_request_numbers_and_options():
    c = connect()
    for n in (2 ** 53 - 2, 2 ** 53 - 1):
        c.raw(frame(n, "ping"))
        assert c.receive() == [n, 0, None]
    c.raw(frame(2 ** 53, "ping"))
    reply = c.receive()
    assert reply[:2] == [0, MALFORMED] and "number" in reply[2], reply
    assert c.receive() is None
    c = connect()
    assert c.ask("rd", "main", ["x"], {"after": 2 ** 53 - 1, "timeout": 0}) == [0, []]
    for option in ("after", "timeout"):
        reply = c.ask("rd", "main", ["x"], {option: 2 ** 53})
        assert reply[0] == REQUEST and option in reply[1], reply


def test_entries_of_an_ack():
    c = connect()
    for n in (1, 1023, 1024):
        c.raw(frame(0, "ack", *range(1, n + 1)))
    assert c.ask("ping") == [0, None]
    for n in (0, 1025):
        bad = Wire(server.address)
        bad.raw(frame(0, "ack", *range(1, n + 1)))
        reply = bad.receive()
        assert reply[0] == 0 and reply[1] < 0 and "ack" in reply[2], reply
        assert bad.receive() is None
    assert c.ask("ping") == [0, None]


def pipelined(c, count, *request):
    """The codes of the replies to one request given so often in one write."""
    first = c.number + 1
    c.raw(b"".join(frame(n, *request) for n in range(first, first + count)))
    c.number += count
    return [c.receive()[1] for _ in range(count)]


def new_session():
    connect().close()
    c = Wire(server.address)
    assert c.ask("hello", {"v": 1, "session": "new"})[0] == 0
    return c


def test_outcomes_not_acknowledged():
    c = new_session()
    first = c.number + 1
    assert pipelined(c, 4095, "out", "main", ["x"]) == [0] * 4095
    assert c.ask("out", "main", ["x"])[0] == 0
    for request in (("out", "main", ["y"]), ("in", "main", ["x"]), ("in", "main", ["y"])):
        reply = c.ask(*request)
        assert reply[0] == UNACKNOWLEDGED, reply
    assert c.ask("rd", "main", ["x"])[0] == 0  # reading is never refused for that
    assert c.ask("count", "main", None) == [0, 4096]
    c.raw(frame(0, "ack", first))
    assert c.ask("out", "main", ["y"])[0] == 0
    assert c.ask("out", "main", ["y"])[0] == UNACKNOWLEDGED
    c.raw(frame(0, "ack", [first, c.number]))
    assert pipelined(c, 4096, "in", "main", ["x"]) == [0] * 4096
    assert c.ask("in", "main", ["y"])[0] == UNACKNOWLEDGED
    assert c.ask("bye") == [0, None]


def test_bytes_of_outcomes_not_acknowledged():
    c = new_session()
    putter = Wire(server.address)
    for _ in range(18):
        assert putter.ask("out", "main", text_tuple(TUPLE))[0] == 0
    codes = [c.ask("in", "main", None)[0] for _ in range(18)]
    taken = codes.index(UNACKNOWLEDGED)
    assert taken in (15, 16) and set(codes[taken:]) == {UNACKNOWLEDGED}, codes
    c.raw(frame(0, "ack", [1, c.number]))
    assert c.ask("in", "main", None)[0] == 0
    assert c.ask("bye") == [0, None]


def test_waiting_requests_of_a_session():
    c, other = connect(), connect()
    first = c.number + 1
    c.raw(b"".join(frame(n, "in", "main", ["never", ANY]) for n in range(first, first + 16383)))
    c.number += 16383
    assert c.ask("ping") == [0, None]
    c.send("rd", "main", ["never"])
    assert c.ask("ping") == [0, None]
    assert other.ask("stats")[1]["waiting"] == 16384
    for op in ("in", "rd"):
        reply = c.ask(op, "main", ["never", ANY])
        assert reply[0] == LIMIT and op in reply[1] and "wait" in reply[1], reply
    assert other.ask("rd", "main", ["never"], {"timeout": 1}) == [0, []]  # others may wait
    c.number += 1
    c.raw(frame(c.number, "cancel", first))
    replies = [c.receive() for _ in range(2)]
    assert [r[:2] for r in replies] == [[first, -13], [c.number, 0]] and replies[1][2] is True, replies
    c.send("in", "main", ["never", ANY])
    assert c.ask("ping") == [0, None]
    assert other.ask("stats")[1]["waiting"] == 16384
    c.close()
    harness.until(lambda: other.ask("stats")[1]["waiting"] == 0, "nobody waits")


def shapes(fields):
    """Of tuple [0, 1, ...]: a template for each way to bind its fields."""
    for size in range(1, fields + 1):
        for bound in itertools.combinations(range(fields), size):
            yield [i if i in bound else ANY for i in range(fields)]


def test_indexes_of_an_arity():
    c = Wire(harness.tiliad().address)
    for shift in (0, 1):
        assert c.ask("outs", "main", [[i + shift * k for i in range(7)] for k in (0, 1)])[0] == 0
    templates = list(shapes(7))
    assert len(templates) == 127
    for k, template in enumerate(templates):
        assert c.ask("count", "main", template)[1] in (3, 4), template
        assert c.ask("stats")[1]["indexes"] <= 64
        if k + 1 in (63, 64):
            assert c.ask("stats")[1]["indexes"] == k + 1
    for template in templates[:3]:  # indexes that went come again
        assert c.ask("rd", "main", template)[1][0][1] == list(range(7))


def test_an_index_too_many_while_all_are_waited_for():
    server = harness.tiliad()
    c, other = Wire(server.address), Wire(server.address)
    waiting = [["w"] + t for t in shapes(6)] + [[formal("text")] + [ANY] * 6]
    assert len(waiting) == 64
    numbers = [c.send("in", "main", t) for t in waiting]
    assert c.ask("ping") == [0, None]
    assert other.ask("stats")[1]["waiting"] == 64
    assert other.ask("stats")[1]["indexes"] == 64
    for k in range(100):
        assert other.ask("out", "main", [1, k % 10, k, 0, 0, 0, 0])[0] == 0
    template = [1, 3] + [ANY] * 5  # the 65th: walked
    assert other.ask("count", "main", template) == [0, 10]
    assert [t[2] for _, t in other.ask("in", "main", template, {"max": 5})[1]] == [3, 13, 23, 33, 43]
    assert other.ask("count", "main", template) == [0, 5]
    assert other.ask("rd", "main", [1, 11] + [ANY] * 5, {"timeout": 0}) == [0, []]
    assert other.ask("stats")[1]["indexes"] == 64
    late = other.send("in", "main", [1, 11] + [ANY] * 5)
    assert c.ask("out", "main", [1, 11, 0, 0, 0, 0, 0])[0] == 0
    assert other.receive()[:2] == [late, 0]
    assert other.ask("out", "main", ["w", 0, 1, 2, 3, 4, 5])[0] == 0
    assert c.receive()[0] == numbers[0]  # who waited longest


def test_waiting_shapes_of_an_arity():
    server = harness.tiliad()
    c, other = Wire(server.address), Wire(server.address)
    templates = list(itertools.islice(shapes(9), 258))
    for template in templates[:255]:
        c.send("in", "main", template)
    assert c.ask("ping") == [0, None]
    last = c.send("in", "main", templates[255])
    assert c.ask("ping") == [0, None]
    reply = c.ask("in", "main", templates[256])
    assert reply[0] == LIMIT and "shapes" in reply[1], reply
    assert c.ask("in", "main", templates[256], {"timeout": 0}) == [0, []]
    same = c.send("in", "main", templates[255])  # the same shape: one more waiter, no more shape
    assert c.ask("ping") == [0, None]
    assert other.ask("stats")[1]["waiting"] == 257
    for n in (last, same):
        m = c.number = c.number + 1
        c.raw(frame(m, "cancel", n))
        assert c.receive()[:2] == [n, -13] and c.receive() == [m, 0, True]
    new = c.send("in", "main", templates[256])
    assert c.ask("ping") == [0, None]
    assert other.ask("stats")[1]["waiting"] == 256
    reply = c.ask("in", "main", templates[257])
    assert reply[0] == LIMIT, reply
    for k in range(256):  # every one of them is served, in its order
        assert other.ask("out", "main", list(range(9)))[0] == 0
        n, code, _ = c.receive()
        assert code == 0 and n == (k + 1 if k < 255 else new), (k, n, code)


def test_residual_waiters_of_a_bucket():
    c, other = connect(), connect()
    template = ["r", [1, ANY]]
    first = c.number + 1
    c.raw(b"".join(frame(n, "in", "main", template) for n in range(first, first + 4096)))
    c.number += 4096
    assert c.ask("ping") == [0, None]
    assert other.ask("stats")[1]["waiting"] == 4096
    reply = other.ask("in", "main", template)
    assert reply[0] == LIMIT, reply
    assert other.ask("out", "main", ["r", [2, 0]])[0] == 0
    assert other.ask("out", "main", ["r", [1, 0]])[0] == 0
    assert c.receive()[0] == first
    other.send("in", "main", template)
    assert other.ask("ping") == [0, None]
    assert c.ask("stats")[1]["waiting"] == 4096
    c.close()


def test_sessions_of_a_principal():
    server = harness.tiliad()
    main = Wire(server.address)
    hello = frame(1, "hello", {"v": 1, "session": "new", "grace": 600000})
    assert descriptors(2000)

    def make(count):
        conns = [Wire(server.address) for _ in range(count)]
        for c in conns:
            c.raw(hello)
        codes = [c.receive()[1] for c in conns]
        for c in conns:
            c.close()
        return codes
    made = 0
    while made < 65535:
        step = min(1000, 65535 - made)
        assert make(step) == [0] * step
        made += step
    assert make(1) == [0]
    late = Wire(server.address)
    late.raw(hello)
    reply = late.receive()
    assert reply[1] == LIMIT and "sessions" in reply[2], reply
    assert late.receive() is None
    assert main.ask("stats")[1]["sessions"] >= 65536
    assert main.ask("ping") == [0, None]


harness.main()
