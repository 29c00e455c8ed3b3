#!/usr/bin/python3
"""A client in 40 lines, from docs/protocol.md alone: python3-cbor2 and a socket."""
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import cbor2
import harness

INT, ANY = cbor2.CBORTag(21580, "int"), cbor2.CBORTag(21580, None)


class Client:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.stream = self.socket.makefile("rb")
        self.n = 0

    def send(self, n, *message):
        self.socket.sendall(cbor2.dumps(cbor2.dumps([n, *message])))

    def ask(self, *request):
        self.n += 1
        self.send(self.n, *request)
        n, code, answer, *detail = cbor2.loads(cbor2.load(self.stream))
        assert n == self.n
        return answer if code == 0 else code


def test_a_stranger():
    path = harness.tiliad().sock
    c = Client(path)
    hello = c.ask("hello", {"v": 1, "session": "new"})
    assert hello["v"] == 1 and len(hello["session"]) == 16 and "in.timeout" in hello["features"]
    first = c.ask("out", "main", ["job", 17, "a.png"])
    assert c.ask("outs", "main", [["job", 18.0, {"k": [None, b"x"]}], ["other"]]) == [first + 1, first + 2]
    assert c.ask("count", "main", None) == 3 and c.ask("count", "main", ["job", ANY, ANY]) == 2
    assert c.ask("rd", "main", ["job", INT, ANY]) == [[first, ["job", 17, "a.png"]]]
    assert c.ask("in", "main", ["job", INT, ANY], {"timeout": 1000}) == [[first, ["job", 17, "a.png"]]]
    assert c.ask("in", "main", ["job", INT, ANY], {"timeout": 0}) == []
    assert c.ask("in", "main", None, {"max": 9}) == [[first + 1, ["job", 18.0, {"k": [None, b"x"]}]], [first + 2, ["other"]]]
    taken = c.n
    c.send(0, "ack", [1, taken - 1])
    assert c.ask("cancel", taken) is True and c.ask("count", "main", None) == 2  # not acknowledged: undone
    again = Client(path)  # the connection breaks; the session is resumed
    assert again.ask("hello", {"v": 1, "session": hello["session"], "have": [[1, c.n]]})["boot"] == hello["boot"]
    again.n = c.n
    assert again.ask("rd", "nowhere", None) == -5 and again.ask("out", "main", [INT]) == -3 and again.ask("dance") == -2
    assert again.ask("ping") is None and again.ask("bye") is None


harness.main()
