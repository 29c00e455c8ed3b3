"""tiliad against clients that behave badly, wait, or are too many: raw sockets and frames."""
import os
import random
import signal
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness
from wire import ANY, Wire, formal, frame, head

FRAME_MAX = 16 << 20


def log_of(server):
    with open(server.sock + ".log") as f:
        return f.read()


def end(server, number=signal.SIGTERM):
    server.send_signal(number)
    return server.wait(20)


def check_alive(other, server):
    """Another connection, and a new one, go on."""
    assert other.ask("ping") == [0, None]
    new = Wire(server.address)
    assert new.ask("ping") == [0, None]
    new.close()


def test_garbage_is_answered_and_only_that_connection_closes():
    server = harness.tiliad()
    other = Wire(server.address)
    cases = (b"\x83\x01\x64ping", b"\xff", b"\x5f\x41a\xff", b"\x5c", b"hello",
             frame() + b"x", head(3) + b"\xff\xff\xff", head(1) + b"\xf6", head(2) + b"\x81\x61",
             head(0), b"\x5b" + b"\xff" * 8)
    for data in cases:
        bad = Wire(server.address)
        bad.raw(data)
        reply = bad.receive()
        assert reply[0] == 0 and reply[1] in (-1, -4) and len(reply[2]) > 5, (data, reply)
        assert bad.receive() is None, data
        check_alive(other, server)
    assert end(server) == 0


def test_random_bytes_harm_nobody_else():
    server = harness.tiliad()
    other = Wire(server.address)
    source = random.Random(harness.SEED)
    for _ in range(300):
        bad = Wire(server.address)
        body = bytes(source.randrange(256) for _ in range(source.randrange(1, 60)))
        try:
            bad.raw(body if source.random() < 0.5 else head(len(body)) + body)
        except OSError:
            pass
        bad.close()
    check_alive(other, server)
    assert end(server) == 0


def test_a_wrong_request_is_answered_and_the_connection_goes_on():
    server = harness.tiliad()
    c = Wire(server.address)
    for request, code, text in (
            (("fly", "main"), -2, "fly"),
            (("out", "main"), -2, "out"),
            (("out", "main", ["x"], {"sideways": 1}), -2, "sideways"),
            (("out", "main", ["x", ANY]), -3, "field"),
            (("in", "main", [formal("strange")]), -3, "strange"),
            (("out", "nowhere", ["x"]), -5, "nowhere"),
            (("out", "main", [0] * 256), -4, "255")):
        reply = c.ask(*request)
        assert reply[0] == code and text in reply[1], (request, reply)
    assert c.ask("count", "main", None) == [0, 0]
    assert end(server) == 0


def test_frame_limit_exactly():
    server = harness.tiliad()
    c = Wire(server.address)
    n = c.number + 1
    # [n, "ping" padded to the limit by an option that does not exist]: refused, but read
    body = b"\x83" + bytes([n]) + b"\x64ping\xa1\x61x\x5a"
    pad = FRAME_MAX - len(body) - 4
    for size, closes in ((FRAME_MAX, False), (FRAME_MAX + 1, True)):
        try:
            c.raw(head(size) + body + struct.pack(">I", pad))
            c.raw(bytes(pad + size - FRAME_MAX))
        except (BrokenPipeError, ConnectionResetError):
            pass
        reply = c.receive()
        if closes:
            assert reply[:2] == [0, -4] and str(FRAME_MAX) in reply[2], reply
            assert c.receive() is None
        else:
            assert reply[:2] == [n, -2], reply
            c.number = n
            assert c.ask("ping") == [0, None]
            body = body.replace(bytes([n]) + b"\x64", bytes([n + 2]) + b"\x64", 1)
    assert end(server) == 0


def test_a_frame_in_two_halves_and_one_that_never_ends():
    server = harness.tiliad()
    c, half = Wire(server.address), Wire(server.address)
    data = frame(1, "out", "main", ["x" * 1000])
    half.raw(data[:500])
    assert c.ask("ping") == [0, None]
    half.raw(data[500:])
    assert half.receive()[1] == 0
    half.raw(data[:500])
    half.close()
    assert c.ask("count", "main", None) == [0, 1]
    assert end(server) == 0


def test_pipelined_requests_in_one_write():
    server = harness.tiliad()
    c = Wire(server.address)
    c.raw(b"".join(frame(n, "out", "main", ["job", n]) for n in range(1, 5001)))
    for n in range(1, 5001):
        reply = c.receive()
        assert reply[:2] == [n, 0]
    c.raw(b"".join(frame(n, "in", "main", ["job", ANY]) for n in range(5001, 10001)))
    taken = [c.receive()[2][0][1][1] for _ in range(5000)]
    assert taken == list(range(1, 5001))
    assert end(server) == 0


def test_term_answers_who_waits():
    server = harness.tiliad("--store", os.path.join(harness.folder(), "term.db"))
    waiting = [Wire(server.address) for _ in range(20)]
    numbers = [c.send("in", "main", ["never", ANY]) for c in waiting]
    idle = Wire(server.address)
    assert idle.ask("out", "main", ["kept"])[0] == 0
    assert end(server) == 0
    for c, n in zip(waiting, numbers):
        reply = c.receive()
        assert reply[0] == n and reply[1] == -14, reply
        assert c.receive() is None
    assert idle.receive() is None
    assert not os.path.exists(server.sock)
    again = harness.tiliad("--store", os.path.join(harness.folder(), "term.db"))
    assert Wire(again.address).ask("count", "main", None) == [0, 1]
    assert end(again) == 0


def test_term_ends_in_time_with_a_reader_that_does_not_read():
    server = harness.tiliad()
    c = Wire(server.address)
    assert c.ask("out", "main", ["x" * 1000000])[0] == 0
    for _ in range(20):
        c.send("rd", "main", [ANY])
    time.sleep(0.1)
    started = time.monotonic()
    server.send_signal(signal.SIGTERM)
    server.send_signal(signal.SIGTERM)  # the second one does not wait for readers
    assert server.wait(20) == 0
    assert time.monotonic() - started < 15


def test_a_slow_reader_is_cut_and_others_go_on():
    server = harness.tiliad("--slow-reader", "200ms")
    c, other = Wire(server.address), Wire(server.address)
    assert other.ask("out", "main", ["x" * 1000000])[0] == 0
    for _ in range(20):
        c.send("rd", "main", [ANY])
    harness.until(lambda: "did not move" in log_of(server), "the slow reader is cut")
    check_alive(other, server)
    assert end(server) == 0


def test_one_connection_too_many():
    server = harness.tiliad("--max-connections", "3")
    held = [Wire(server.address) for _ in range(3)]
    for c in held:
        assert c.ask("ping") == [0, None]
    extra = Wire(server.address)
    assert extra.receive() == [0, -4, "too many connections"]
    assert extra.receive() is None
    held.pop().close()

    def admitted():
        c = Wire(server.address)
        try:
            c.send("ping")
        except OSError:  # turned away before it could ask
            return False
        return c.receive()[1] == 0
    harness.until(admitted, "a place is free again")
    assert end(server) == 0


def test_usr1_writes_a_status_line():
    server = harness.tiliad()
    c = Wire(server.address)
    c.ask("ping")
    server.send_signal(signal.SIGUSR1)
    harness.until(lambda: "msg=status" in log_of(server), "the status line")
    line = [x for x in log_of(server).splitlines() if "msg=status" in x][0]
    assert "connections=1 " in line and "longest_turn_us=" in line, line
    assert end(server) == 0


def test_a_client_that_dies_waiting_leaves_nothing():
    server = harness.tiliad()
    for _ in range(50):
        c = Wire(server.address)
        c.send("in", "main", ["job", ANY])
        c.close()
    c = Wire(server.address)
    harness.until(lambda: c.ask("stats")[1]["waiting"] == 0, "no waiter is left")
    assert c.ask("out", "main", ["job", 1])[0] == 0
    assert c.ask("in", "main", ["job", ANY])[1][0][1] == ["job", 1]
    assert end(server) == 0


def test_a_taken_tuple_that_nobody_received_comes_back():
    server = harness.tiliad()
    taker, putter = Wire(server.address), Wire(server.address)
    taker.send("in", "main", ["big", ANY])
    assert taker.silent()
    # The taker's receive buffer cannot hold it, so the kernel never has all of the reply.
    taker.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    assert putter.ask("out", "main", ["big", "x" * 1000000])[0] == 0
    assert putter.ask("count", "main", None) == [0, 0]
    taker.close()
    harness.until(lambda: putter.ask("count", "main", None) == [0, 1], "the tuple is back")
    assert end(server) == 0


def test_max_bytes_refuses_growth_and_takes_go_on():
    server = harness.tiliad("--max-bytes", "1M")
    c = Wire(server.address)
    put = 0
    while True:
        reply = c.ask("out", "main", ["x", put, "y" * 10000])
        if reply[0]:
            break
        put += 1
    assert reply[0] == -7 and 50 < put < 105, (put, reply)
    for i in range(put):
        assert c.ask("in", "main", ["x", ANY, ANY])[1][0][1][1] == i
    assert c.ask("out", "main", ["x", 0, "y" * 10000])[0] == 0
    assert end(server) == 0


def test_grace_of_the_server_and_of_the_client():
    server = harness.tiliad("--grace", "1234ms")
    for options, grace in (({}, 1234), ({"grace": 77}, 77), ({"grace": 10 ** 12}, 86400000)):
        c = Wire(server.address)
        reply = c.ask("hello", dict({"v": 1, "session": "new"}, **options))
        assert reply[1]["grace"] == grace, reply
    assert end(server) == 0


harness.main()
