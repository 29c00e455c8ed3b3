#!/usr/bin/python3
"""space.watch: events in order, over breaks, full queues and forks."""
import gc
import os
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness
import tilia
import tilia.watch

SERVER = harness.tiliad()


def here(name="main", server=SERVER):
    """A space on a connection of its own."""
    from tilia import _net
    return tilia.Space(_net.Session([server.address]), name)


def watching(space):
    return space.stats()["watching"]


def nobody_watches(space):
    harness.until(lambda: watching(space) == 0, "nobody watches")


def test_events_as_they_come():
    a, b = here(), here()
    with a.watch("job", int) as watch:
        a.stats()  # it has begun
        job = b.out("job", 1)
        b.out("other", 1)
        for claim in b.claims("job", int, timeout=0):
            claim.back()
            break
        for claim in b.claims("job", int, timeout=0):
            claim.out("job", 2)
            claim.done()
            break
        events = [next(watch) for _ in range(6)]
        assert [e.kind for e in events] == ["put", "claim", "back", "claim", "done", "put"], events
        assert {e.id for e in events[:5]} == {job} and events[0].tuple == ("job", 1)
        assert events[5].tuple == ("job", 2) and events[5].tuple.id == events[5].id > job
        assert events[1].cursor == events[0].cursor + 2, events
        kind, cursor, id, fields = next(a.watch("job", int, after=events[3].cursor))
        assert (kind, cursor, id) == events[4][:3]
        assert next(a.watch(after=1)).kind == "gap"
    nobody_watches(a)
    assert list(watch) == []
    b.in_("job", 2), b.in_("other", 1)
    a.close(), b.close()


def test_break_ends_it_and_so_does_the_collector():
    a = here()
    a.stats()
    for event in a.watch(after=0):
        assert event.kind == "gap" and event.tuple is None and event.id == 0
        assert watching(a) == 1
        break
    nobody_watches(a)
    watch = a.watch()
    watch.me = watch
    assert watching(a) == 1
    del watch
    gc.collect()
    nobody_watches(a)
    a.close()


def test_the_end_of_a_space_and_no_space():
    a = here("s")
    a.create(volatile=True)
    watch = a.watch()
    a.out("x")
    a.drop()
    assert [e.kind for e in watch] == ["put", "drop"]
    try:
        next(a.watch())
    except tilia.Error as error:
        assert error.word == "no-space"
    else:
        raise AssertionError
    for wrong in dict(timeout=1), dict(max=2):
        try:
            a.watch(**wrong)
        except tilia.Error as error:
            assert error.word == "usage", error
        else:
            raise AssertionError
    a.close()


def test_what_nobody_asks_for_waits_at_the_server():
    a, b = here(), here()
    watch = a.watch(int, str)
    a.stats()
    keep, tilia.watch.KEEP = tilia.watch.KEEP, 50000
    try:
        for n in range(300):
            b.out(n, "x" * 1000)
            if n % 20 == 19:
                a.stats()
        assert len(watch.call.queue) < 60, len(watch.call.queue)
        events = [next(watch) for _ in range(300)]
    finally:
        tilia.watch.KEEP = keep
    assert [e.tuple[0] for e in events] == list(range(300))
    assert all(y.cursor == x.cursor + 1 for x, y in zip(events, events[1:]))
    watch.close()
    nobody_watches(a)
    assert len(b.in_(template=None, max=1000)) == 300
    a.close(), b.close()


def test_parts_that_come_twice_are_told_once():
    a = here()
    watch = a.watch(after=0)
    a.out("x")
    first = [next(watch), next(watch)]
    call = watch.call
    for event in first:
        call.reply = [call.n, 1, [event.kind, event.cursor, event.id, event.tuple and list(event.tuple)]]
    assert not call.queue
    a.inp("x")
    assert next(watch).kind == "take"
    a.close()
    try:
        next(watch)
    except tilia.Error as error:
        assert error.word in ("cancelled", "closed"), error
    else:
        raise AssertionError


def test_other_threads_go_on_meanwhile():
    a = here()
    got = []
    watch = a.watch("n", int)

    def read():
        for event in watch:
            got.append(event.tuple[1])
            if len(got) == 100:
                return

    thread = threading.Thread(target=read)
    thread.start()
    start = time.monotonic()
    for n in range(100):
        a.out("n", n)
        assert a.in_("n", n, timeout=10) == ("n", n)
    thread.join(20)
    assert not thread.is_alive() and got == [n for n in range(100) for _ in (0, 1)][:100], got
    assert time.monotonic() - start < 15
    watch.close()
    a.close()


def test_over_a_server_that_is_killed():
    store = os.path.join(harness.folder(), "store")
    server = harness.tiliad("--store", store)
    a, b = here(server=server), here(server=server)
    watch, quiet = a.watch("n", int), a.watch("never")
    a.stats()
    b.out("n", 1)
    assert next(watch).tuple == ("n", 1)
    server.kill()
    server.wait()
    server = harness.tiliad("--store", store, sock=server.sock)
    assert next(watch).kind == "gap" and next(quiet).kind == "gap"
    b.out("n", 2)
    assert next(watch).tuple == ("n", 2)
    a.close(), b.close()
    server.send_signal(signal.SIGTERM)
    assert server.wait(20) == 0


def test_a_forked_child_has_none_of_it():
    a = here()
    watch = a.watch("x")
    a.stats()
    pid = os.fork()
    if pid == 0:
        try:
            next(watch)
        except tilia.Error as error:
            os._exit(0 if error.word == "usage" else 1)
        finally:
            os._exit(2)
    assert os.waitpid(pid, 0)[1] == 0
    a.out("x")
    assert next(watch).kind == "put"
    a.inp("x")
    a.close()


harness.main()
