"""Garbage, truncated messages, unknown words: an error that names the place, the connection
closed where it must be, and a connection beside them that never notices."""
import contextlib
import os
import random
import signal
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import cbor2
import harness
from wire import ANY, Wire, formal, frame, head

MALFORMED = -1
server = None


@contextlib.contextmanager
def bystander():
    """A server, beside whose clients another one puts and takes: each reply right, to the end."""
    global server
    server = harness.tiliad()
    c, stop, wrong, rounds = Wire(server.address), threading.Event(), [], [0]
    c.ask("space", "create", "quiet")
    waiter = Wire(server.address)
    waiter.send("in", "quiet", ["last"])

    def work():
        try:
            while not stop.is_set():
                i = rounds[0] = rounds[0] + 1
                assert c.ask("out", "quiet", ["mine", i])[0] == 0
                assert c.ask("in", "quiet", ["mine", ANY])[1][0][1] == ["mine", i]
        except BaseException as error:
            wrong.append(repr(error))
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        before = rounds[0]
        harness.until(lambda: wrong or rounds[0] > before + 10, "the other connection goes on")
        stop.set()
        thread.join()
    assert not wrong, wrong
    assert c.ask("out", "quiet", ["last"])[0] == 0 and waiter.receive()[1] == 0
    assert c.ask("count", "quiet", None) == [0, 0]
    server.send_signal(signal.SIGTERM)
    assert server.wait(20) == 0


def answer(data):
    """What a new connection gets for these bytes: (replies, whether it was closed)."""
    c = Wire(server.address)
    c.raw(data + frame(99, "ping"))
    replies = []
    while True:
        try:
            reply = c.receive()
        except ConnectionResetError:
            reply = None
        if reply is None or reply[0] == 99:
            c.close()
            return replies, reply is None
        replies.append(reply)


def test_each_wrong_frame_closes_its_connection_with_a_reason():
    cases = [bytes([b]) for b in range(256) if not 0x40 <= b <= 0x5b and b != 0xff]
    cases += [b"\x5f", b"\x5c", b"\x5d", b"\x5e", b"\xff", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00",
              b"\x00" * 100, b"\x5b" + b"\xff" * 8, b"\x5a\xff\xff\xff\xff", b"\x5a\x01\x00\x00\x01"]
    with bystander():
        for data in cases:
            replies, closed = answer(data)
            assert closed and len(replies) == 1, (data, replies, closed)
            n, code, text = replies[0]
            assert n == 0 and code in (-1, -4) and ("frame" in text or "message" in text), (data, replies)


def test_a_message_cut_at_every_byte_is_refused_and_does_nothing():
    whole = cbor2.dumps([5, "out", "main", ["job", 1, {"a": [1.5, None]}, b"xyz"], {}], canonical=True)
    with bystander():
        for n in range(len(whole)):
            replies, closed = answer(head(n) + whole[:n])
            assert len(replies) == 1, (n, replies)
            number, code, text = replies[0]
            assert code == MALFORMED and text, (n, replies)
            assert (number, closed) in ((0, True), (5, False)), (n, replies, closed)
            assert n < 2 or number == 5, (n, replies)  # its number can be read
        replies, closed = answer(head(len(whole) + 1) + whole + b"\x00")
        assert closed or replies[0][0] == 5, replies
        assert replies[0][1] == MALFORMED, replies
        c = Wire(server.address)
        assert c.ask("count", "main", None) == [0, 0]


def test_a_connection_that_ends_within_a_frame_leaves_nothing():
    data = frame(1, "out", "main", ["half", "x" * 70000])
    with bystander():
        for n in [1, 2, 3, 4, 5, 6, 20, 65535, 65536, len(data) - 1]:
            c = Wire(server.address)
            c.raw(data[:n])
            c.close()
        c = Wire(server.address)
        harness.until(lambda: c.ask("stats")[1]["connections"] == 3, "all of them are gone")
        assert c.ask("count", "main", None) == [0, 0]


def test_every_wrong_request_is_named_and_the_connection_goes_on():
    """(request, code, words of the text)"""
    cases = (
        (("fly", "main"), -2, ["fly"]), (("OUT", "main", []), -2, ["OUT"]), (("", "main"), -2, []),
        ((7, "main"), None, []), ((None,), None, []), (([],), None, []), ((), None, []),
        (("out",), -2, ["out"]), (("out", "main"), -2, ["out"]), (("out", "main", ["x"], 5), -2, ["out"]),
        (("out", "main", ["x"], {}, 1), -2, ["out"]), (("out", 5, ["x"]), None, ["out"]),
        (("out", "main", 5), None, ["out"]), (("out", "main", None), None, ["out"]),
        (("out", "main", {"a": 1}), None, ["out"]), (("out", "main", "text"), None, ["out"]),
        (("outs", "main", ["x"]), None, ["outs"]), (("outs", "main", [["ok"], 5]), None, ["outs", "1"]),
        (("outs", "main", [["ok"], ["y", ANY]]), -3, ["outs", "1"]),
        (("out", "main", ["x", ANY]), -3, ["out", "field 1"]),
        (("out", "main", ["x", [1, formal("int")]]), -3, ["out", "field 1"]),
        (("out", "main", ["x", cbor2.CBORTag(21581, [0, 0])]), -3, ["out", "field 1"]),
        (("in", "main", ["x", formal("strange")]), -3, ["in", "field 1", "strange"]),
        (("in", "main", ["x", formal({"colour": "red"})]), -3, ["in", "field 1"]),
        (("in", "main", ["x", formal(5)]), -3, ["in", "field 1"]),
        (("in", "main", "x"), None, ["in"]),
        (("in", "main", ["x"], {"timeout": -1}), -2, ["in", "timeout"]),
        (("in", "main", ["x"], {"timeout": 1.5}), -2, ["in", "timeout"]),
        (("in", "main", ["x"], {"timeout": "5s"}), -2, ["in", "timeout"]),
        (("in", "main", ["x"], {"max": "all"}), -2, ["in", "max"]),
        (("in", "main", ["x"], {"after": 5}), -2, ["in", "after"]),
        (("in", "main", ["x"], {"sooner": 5}), -2, ["in", "sooner"]),
        (("in", "main", ["x"], {7: 5}), -2, ["in"]),
        (("count", "main", ["x"], {"timeout": 5}), -2, ["count", "timeout"]),
        (("out", "main", ["x"], {"sideways": True}), -2, ["out", "sideways"]),
        (("out", "nowhere", ["x"]), -5, ["out", "nowhere"]), (("in", "nowhere", ["x"]), -5, ["in", "nowhere"]),
        (("rd", "", ["x"]), -5, ["rd"]), (("count", "nowhere", None), -5, ["count", "nowhere"]),
        (("space", "paint", "red"), -2, ["space", "paint"]), (("space", "create"), -2, ["space"]),
        (("space", "create", "main"), -6, ["main"]), (("space", "drop", "nowhere"), -5, ["nowhere"]),
        (("space", "drop", "main"), -8, ["main"]), (("space", "create", "a", {"colour": 1}), -2, ["colour"]),
        (("cancel", "x"), -2, ["cancel"]), (("cancel",), -2, ["cancel"]), (("ping", 5), -2, ["ping"]),
        (("stats", "weather"), -2, ["stats", "weather"]),
    )
    with bystander():
        c = Wire(server.address)
        for request, code, words in cases:
            c.send(*request)
            reply = c.receive(seconds=5)[1:]
            assert reply[0] == code or (code is None and reply[0] in (-1, -2, -3)), (request, reply)
            assert reply[1] and all(word in reply[1] for word in words), (request, reply)
        assert c.ask("count", "main", None) == [0, 0]
        assert c.ask("stats")[1]["waiting"] == 1  # the bystander's


def test_hello_with_wrong_options_closes_and_nothing_behind_it_is_done():
    cases = (({"v": 2}, "version"), ({"v": "1"}, "v"), ({"session": 5}, "session"), ({"session": "old"}, "session"),
             ({"session": b"short"}, "session"), ({"session": bytes(16)}, "session"), ({"may": 5}, "may"),
             ({"grace": -1, "session": "new"}, "grace"), ({"have": 1}, "have"), ({"colour": 1}, "colour"))
    with bystander():
        for options, word in cases:
            c = Wire(server.address)
            c.raw(frame(1, "hello", dict({"v": 1}, **options)) + frame(2, "out", "main", ["behind"]))
            reply = c.receive()
            assert reply[0] == 1 and reply[1] < 0 and word in reply[2], (options, reply)
            assert c.receive() is None, options
        c = Wire(server.address)
        assert c.ask("count", "main", None) == [0, 0]
        assert c.ask("hello", {"v": 1})[0] == -2  # not the first request


def test_a_number_that_does_not_rise_is_refused():
    with bystander():
        c = Wire(server.address)
        c.raw(frame(5, "ping") + frame(5, "out", "main", ["x"]) + frame(4, "out", "main", ["x"]) + frame(6, "ping"))
        replies = [c.receive() for _ in range(4)]
        assert [r[:2] for r in replies] == [[5, 0], [5, -2], [4, -2], [6, 0]], replies
        assert c.ask("count", "main", None)[0] == -2  # 1
        c.number = 6
        assert c.ask("count", "main", None) == [0, 0]


def test_messages_with_a_byte_changed_are_answered_once_each():
    source = random.Random(harness.SEED)
    whole = cbor2.dumps([5, "rd", "main", ["job", ANY, {"a": [1.5, None]}], {"timeout": 0, "max": 3}], canonical=True)
    with bystander():
        for at in range(len(whole)):
            for _ in range(6):
                data = bytearray(whole)
                data[at] ^= 1 << source.randrange(8)
                replies, closed = answer(head(len(data)) + bytes(data))
                # It may have become a greater number than the ping's, an ack, or a wait for ever.
                if [99, -2] in [r[:2] for r in replies]:
                    continue
                assert len(replies) <= 1 and (replies or not closed), (bytes(data), replies)
                assert not closed or replies[0][0] == 0, (bytes(data), replies)


harness.main()
