#!/usr/bin/python3
"""Plays the example of docs/protocol.md, byte for byte, against the server.

With python3-cbor2 and nothing of ours: the frames the text gives for the client are sent as
they stand; what the server answers is compared with what the text says, but for what it says
may differ (the session's id, the tuple's id, hello's further entries, the text of an error).
"""
import os
import re
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness  # noqa: E402

try:
    import cbor2
except ImportError:
    cbor2 = None


def example():
    """(who, bytes) of each message of the text's last section."""
    text = open(os.path.join(harness.ROOT, "docs", "protocol.md")).read()
    block = text.split("## 8. An example")[1].split("```")[1]
    for part in re.split(r"^(?=[CS]: )", block.strip(), flags=re.M):
        if part:
            lines = [line for line in part.splitlines()[1:] if not line.strip().startswith("#")]
            yield part[0], bytes.fromhex("".join(lines))


def same(got, want, ids):
    """Whether a reply is what the text says, ids aside; learns the ids."""
    if want[1] == 0 and isinstance(want[2], dict):
        return got[:2] == want[:2] and set(want[2]) <= set(got[2]) and len(got[2]["session"]) == 16
    if want[1] < 0:
        return got[:2] == want[:2] and isinstance(got[2], str)
    if want == [2, 0, 1]:
        ids.append(got[2])
        return got[:2] == want[:2]
    if want[0] == 3:
        want = [3, 0, [[ids[0], want[2][0][1]]]]
    return got == want


def test_the_example_of_the_protocol_text_is_true():
    if cbor2 is None:
        raise harness.Skip("python3-cbor2 is not installed")
    server = harness.tiliad()
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(20)
    s.connect(server.sock)
    stream, ids, early = s.makefile("rb"), [], {}
    for who, data in example():
        if who == "C":
            s.sendall(data)
            continue
        want = cbor2.loads(cbor2.loads(data))
        while want[0] not in early:  # replies are matched by number
            frame = cbor2.load(stream)
            assert isinstance(frame, bytes), frame
            got = cbor2.loads(frame)
            early[got[0]] = got
        got = early.pop(want[0])
        assert same(got, want, ids), "%r is not %r" % (got, want)
    assert not early, early


harness.main()
