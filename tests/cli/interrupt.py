#!/usr/bin/python3
"""Signals: a waiting take that is interrupted has no effect, or prints what it took."""
import os
import random
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness  # noqa: E402
from cli import Cli  # noqa: E402

TIMES = 1000 if os.environ.get("SOAK") else 60


def ends(*numbers):
    for number in numbers:
        t = Cli()
        p = t.start("in", "nothing")
        t.until_waiting(1)
        p.send_signal(number)
        assert p.wait(20) == 130, (number, p.returncode)
        t.until_waiting(0)
        t.ok("out", "nothing")
        assert t.count("nothing") == 1


def test_a_signal_ends_a_wait_with_130():
    ends(signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def test_ctrl_c_leaves_the_way_to_the_server_alone():
    """The terminal tells the whole group; the program behind cmd: is needed to cancel the take."""
    t = Cli()
    started = os.path.join(harness.folder(), "started")
    way = os.path.join(harness.folder(), "way")
    with open(way, "w") as f:
        f.write("#!/bin/sh\necho >>%s\nexec %s relay --connect %s\n" % (started, harness.TILIA, t.server.address))
    os.chmod(way, 0o755)
    for i in range(5):
        p = harness.start([harness.TILIA, "in", "nothing"], env=dict(t.env, TILIA="cmd:" + way), start_new_session=True)
        t.until_waiting(1)
        os.killpg(p.pid, signal.SIGINT)
        assert p.wait(20) == 130
        t.until_waiting(0)
        with open(started) as f:
            assert len(f.readlines()) == i + 1  # once for each: none had to connect again


def printed_or_stays(*args):
    rng = random.Random(harness.SEED)
    t = Cli(*args)
    got = 0
    feed = t.start("pipe", stdin=subprocess.PIPE)
    for i in range(TIMES):
        p = t.start("in", "race", str(i))
        time.sleep(rng.random() * 0.02)
        if rng.random() < 0.5:
            p.send_signal(signal.SIGINT)
            feed.stdin.write(b"out race %d\n" % i)
            feed.stdin.flush()
        else:
            feed.stdin.write(b"out race %d\n" % i)
            feed.stdin.flush()
            time.sleep(rng.random() * 0.001)
            p.send_signal(signal.SIGINT)
        assert feed.stdout.readline() == b"ok\n"
        out = p.communicate(timeout=20)[0]
        took = out == b'["race", %d]\n' % i
        assert took or out == b"", out
        # Killed before it had its handlers: the server puts back what it sent in vain.
        harness.until(lambda: t.count("race", str(i)) == (0 if took else 1), "race %d is accounted for" % i)
        assert took or p.returncode in (130, -signal.SIGINT), p.returncode
        got += took
    feed.stdin.close()
    assert 0 < got < TIMES, got
    assert t.count() == TIMES - got


def test_a_tuple_is_printed_or_stays_whenever_the_signal_comes():
    printed_or_stays()


def test_the_same_where_replies_wait_for_the_disk():
    printed_or_stays("--store", os.path.join(harness.folder(), "race.db"))


def test_a_signal_ends_out_that_waits_for_its_input():
    t = Cli()
    p = t.start("out", "--lines", "x", stdin=subprocess.PIPE)
    p.stdin.write(b"1\n")
    p.stdin.flush()
    t.ok("rd", "--timeout", "20s", "x", "--", "1")
    p.send_signal(signal.SIGINT)
    assert p.wait(20) == 130
    assert t.count("x", ":text") == 1


def test_the_second_signal_ends_it_at_once():
    t = Cli()
    t.server.send_signal(signal.SIGSTOP)
    try:
        env = dict(t.env)
        p = harness.start([harness.TILIA, "in", "x"], env=env, stderr=subprocess.DEVNULL)
        time.sleep(0.1)
        for _ in range(200):
            if p.poll() is not None:
                break
            p.send_signal(signal.SIGINT)
            time.sleep(0.05)
        assert p.poll() in (-signal.SIGINT, 130), p.returncode
    finally:
        t.server.send_signal(signal.SIGCONT)


def test_a_wait_on_a_terminal_says_so_after_two_seconds():
    import pty
    t = Cli()
    main, side = pty.openpty()
    t.ok("out", "impatience")
    p = t.start("in", "patience", stderr=side)
    os.close(side)
    said = b""
    while b"the template wants" not in said:
        said += os.read(main, 1000)
    assert b"waiting" in said and b'field 0 is "impatience" (text), the template wants "patience"' in said, said
    t.ok("out", "patience")
    assert p.communicate(timeout=20)[0] == b'["patience"]\n'
    os.close(main)


harness.main()
