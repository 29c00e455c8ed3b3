#!/usr/bin/python3
"""On the real server: what a reply tells was synced before the reply was written.

Every tuple carries a text of its own. A preloaded object writes down what goes into the WAL, the
syncs, and what goes to the sockets; the rest is looked up in that list."""
import io
import os
import struct
import sys
import threading

import cbor2

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness  # noqa: E402
from fleet import preload  # noqa: E402
from wire import ANY, Wire  # noqa: E402

CLIENTS, EACH, DEPTH = 4, 200, 16


def mark(client, i):
    return "mark-%d-%06d-" % (client, i)


def serve(name, *args):
    """A server under order.so, and its list."""
    path = os.path.join(harness.folder(), name + ".order")
    env = dict(preload("order"), ORDER_LOG=path)
    server = harness.tiliad("--store", os.path.join(harness.folder(), name + ".db"), *args, env=env)
    return server, path


def records(path):
    """(kind, descriptor, bytes) in order; an R without what the kernel did not take."""
    with open(path, "rb") as f:
        data = f.read()
    at, found = 0, []
    while at < len(data):
        fd, n = struct.unpack("=iI", data[at + 1:at + 9])
        kind, body = chr(data[at]), data[at + 9:at + 9 + n]
        at += 9 + n
        if kind == "n":  # of the same thread and descriptor: the last R there
            last = max(i for i, r in enumerate(found) if r[:2] == ("R", fd))
            found[last] = ("R", fd, found[last][2][:max(0, int(body))])
            kind, body = "-", b""
        found.append((kind, fd, body))
    return found


class Order:
    """When what was synced, and when what was said; times are places in the list."""

    def __init__(self, found):
        self.found = found
        self.wal = [(t, body) for t, (kind, _, body) in enumerate(found) if kind == "W"]
        self.syncs, begun = [], {}
        for t, (kind, fd, _) in enumerate(found):
            if kind == "b":
                begun[fd] = t
            elif kind == "e":
                self.syncs.append((begun.pop(fd), t))

    def replies(self):
        """(time at which its last byte went out, message)"""
        streams = {}
        for t, (kind, fd, body) in enumerate(self.found):
            if kind != "R":
                continue
            stream = streams[fd] = streams.get(fd, b"") + body
            source = io.BytesIO(stream)
            while True:
                at = source.tell()
                try:
                    message = cbor2.CBORDecoder(source).decode()
                except (cbor2.CBORDecodeEOF, EOFError):
                    break
                yield t, cbor2.loads(message)
            streams[fd] = stream[at:]

    def durable_at(self, text):
        """When the first sync that covers this text had ended."""
        written = [t for t, body in self.wal if text.encode() in body]
        ended = [end for begin, end in self.syncs if written and begin > written[0]]
        return min(ended) if ended else float("inf")


def put_and_read(address):
    """Clients put many at once while others wait for each tuple. id -> its mark."""
    ids, errors = {}, []

    def put(client):
        w = Wire(address)
        sent, done = {}, 0
        while done < EACH:
            while len(sent) < DEPTH and done + len(sent) < EACH:
                text = mark(client, done + len(sent))
                sent[w.send("out", "main", [text, client])] = text
            n, code, result = w.receive()
            assert code == 0, (code, result)
            ids[result] = sent.pop(n)
            done += 1

    def read(client):
        w = Wire(address)
        for i in range(EACH):
            reply = w.ask("rd", "main", [mark(client, i), ANY])
            assert reply[0] == 0 and reply[1][0][1] == [mark(client, i), client], reply

    def guarded(what, client):
        try:
            what(client)
        except BaseException as error:
            errors.append(error)
    threads = [threading.Thread(target=guarded, args=(what, client))
               for client in range(CLIENTS) for what in (put, read)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    if errors:
        raise errors[0]
    return ids


def early(path, ids):
    """(replies looked at, those written before the sync that covers them)"""
    order, looked, found = Order(records(path)), 0, []
    durable = {text: order.durable_at(text) for text in ids.values()}
    for t, reply in order.replies():
        texts = []
        if reply[0] and reply[1] == 0 and isinstance(reply[2], int):
            texts = [ids[reply[2]]]
        elif reply[0] and reply[1] == 0 and isinstance(reply[2], list):
            texts = [row[1][0] for row in reply[2]]
        for text in texts:
            looked += 1
            if t < durable[text]:
                found.append(text)
    return looked, found


def look(name, *args):
    server, path = serve(name, *args)
    ids = put_and_read(server.address)
    server.terminate()
    assert server.wait(20) == 0
    looked, found = early(path, ids)
    print("# %s: %d replies, %d syncs, %d too early" % (name, looked, len(Order(records(path)).syncs), len(found)))
    assert looked == 2 * CLIENTS * EACH, looked
    return found


def test_no_reply_about_a_durable_space_comes_before_its_sync():
    assert look("full") == []


def test_the_same_look_finds_a_server_that_does_not_sync():
    assert len(look("off", "--sync", "off")) == 2 * CLIENTS * EACH


def test_every_lone_change_is_synced_before_it_is_answered():
    server, path = serve("lone")
    w = Wire(server.address)
    changes = ["hello", "out", "outs", "in", "cancel", "space", "bye"]
    assert w.ask("hello", {"v": 1, "session": "new"})[0] == 0
    for request in (["out", "main", ["a"]], ["outs", "main", [["b"], ["c"]]], ["in", "main", ["b"]],
                    ["cancel", w.number + 3], ["space", "create", "s"], ["bye"]):
        reply = w.ask(*request)
        assert reply[0] == 0, (request, reply)
    w.close()
    server.terminate()
    assert server.wait(20) == 0
    order = Order(records(path))
    said = [t for t, _ in order.replies()]
    assert len(said) == len(changes)
    for what, before, now in zip(changes, [-1] + said, said):
        written = [t for t, _ in order.wal if before < t < now]
        assert written, what
        assert any(begin > written[0] and end < now for begin, end in order.syncs), what


harness.main()
