#!/usr/bin/python3
"""The Python client's values: the vectors, and random ones beside python3-cbor2."""
import ast
import math
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness
import tilia


def rows(name):
    with open(os.path.join(harness.ROOT, "tests", "vectors", name), encoding="utf-8") as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                yield line.rstrip("\n").split("\t")


def unhex(text):
    return b"" if text == "-" else bytes.fromhex(text)


def same(a, b):
    return tilia.encode(a) == tilia.encode(b) and type(a) is type(b)


def test_values():
    count = 0
    for encoding, canonical, text, about in rows("values.txt"):
        value = tilia.decode(unhex(encoding))
        assert tilia.encode(value) == unhex(canonical), (encoding, value, tilia.encode(value).hex(), about)
        assert same(tilia.decode(unhex(canonical)), value), (canonical, about)
        count += 1
    assert count > 100, count


def test_bad():
    count = 0
    for encoding, error, offset, about in rows("bad.txt"):
        try:
            value = tilia.decode(unhex(encoding))
        except tilia.Error:
            count += 1
            continue
        assert error == "error limit", (encoding, value, about)  # decoding deeper is allowed
    assert count > 30, count


def test_truncated():
    for encoding, canonical, text, about in rows("values.txt"):
        for data in unhex(encoding), unhex(canonical):
            for end in range(len(data)):
                try:
                    value = tilia.decode(data[:end])
                except tilia.Error as error:
                    assert error.word == "malformed"
                else:
                    raise AssertionError((data.hex(), end, value))


def test_messages():
    for frame, kind, text, about in rows("messages.txt"):
        message, at = tilia._item(unhex(frame), 0)
        assert at == len(unhex(frame)) and isinstance(message, bytes), frame
        if kind in ("request", "reply"):
            value = tilia.decode(message)
            assert tilia.encode(value) == message and tilia.encode(message) == unhex(frame), (frame, value)


def test_templates():
    """Templates come through as they are: a formal is tag 21580."""
    for template, value, verdict, template_text, value_text, about in rows("templates.txt"):
        for data in unhex(template), unhex(value):
            assert tilia.encode(tilia.decode(data)) == data, about


def test_formals():
    fields = [int, str, bytes, float, bool, list, tuple, dict, type(None), ..., tilia.number, tilia.Tag,
              tilia.Simple, tilia.Formal("undefined"), [1, int], {"k": str}]
    names = "int text bytes float bool array array map null".split()
    got = tilia.decode(tilia.encode(fields, True))
    assert [formal.value for formal in got[:9]] == names, got
    assert got[9] == tilia.Tag(21580, None) and got[10].value == "number"
    assert [formal.value for formal in got[11:14]] == ["tag", "simple", "undefined"]
    assert got[14] == [1, tilia.Tag(21580, "int")] and got[15] == {"k": tilia.Tag(21580, "text")}
    assert tilia.Formal("int", ge=1, lt=5) == tilia.Tag(21580, {"type": "int", "ge": 1, "lt": 5})
    assert tilia.encode((1, 2.0), True) == tilia.encode([1, 2.0])
    for bad in set, object, complex:
        refused(([bad], True), "field 0")


def refused(args, *texts):
    try:
        data = tilia.encode(*args)
    except tilia.Error as error:
        assert error.word == "value", error.word
        for text in texts:
            assert text in str(error), (text, str(error))
        return
    raise AssertionError("%r became %s" % (args, data.hex()))


def test_refused():
    refused(({1},), "cannot send <class 'set'>")
    refused((["job", {1}],), "field 1: cannot send <class 'set'>")
    refused((("job", 1, [0, {"k": object()}]),), "field 2[1]['k']: cannot send <class 'object'>")
    refused((["a", int],), "field 1", "<class 'int'>")
    refused(([...],), "field 0")
    refused((["\ud800"],), "field 0", "surrogate")
    refused((tilia.Map([(1, 2), (1, 3)]),), "duplicate")
    refused((1j,), "complex")
    refused((len,), "cannot send")
    for simple in -1, 24, 31, 256:
        refused((tilia.Simple(simple),), "range")
    refused((tilia.Tag(-1, 0),), "range")
    refused((tilia.Tag(1 << 64, 0),), "range")


def test_kinds():
    """What is sent as what."""
    class Index:
        def __index__(self):
            return 7

    class Text(str):
        pass

    class Half:
        def __float__(self):
            return 0.5

    assert tilia.encode(Index()) == b"\x07"
    assert tilia.encode(Text("a")) == tilia.encode("a") == b"\x61a"
    assert tilia.encode(True) == b"\xf5" and tilia.encode(1) == b"\x01" and tilia.encode(1.0) == b"\xf9\x3c\x00"
    assert tilia.encode(bytearray(b"x")) == tilia.encode(memoryview(b"x")) == tilia.encode(b"x") == b"\x41x"
    assert tilia.encode((1, (2,))) == tilia.encode([1, [2]]) == bytes.fromhex("82018102")
    assert tilia.encode({100: 1, -1: 2}) == bytes.fromhex("a21864012002")  # bytewise, not by length
    refused((Half(),))
    for n in (0, 23, 24, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**63, 2**64 - 1, 2**64, 2**64 + 1, 2**500):
        for value in n, -n, -n - 1:
            data = tilia.encode(value)
            assert tilia.decode(data) == value and (data[0] >> 5 < 2) == (-2**64 <= value < 2**64), value
    assert tilia.decode(tilia.encode(tilia.undefined)) == tilia.undefined and repr(tilia.undefined) == "undefined"
    assert tilia.Tag(1, 1) != tilia.Tag(1, True) and hash(tilia.Tag(1, [1])) == hash(tilia.Tag(1, [1]))


def test_maps():
    """A dict where it can be, else pairs; nothing collapses."""
    for pairs in ([(1, "a"), (1.0, "b")], [(1, "a"), (True, "b")], [([1], "a")], [({"x": 1}, 2)],
                  [(math.nan, 1)], [(0.0, 1), (-0.0, 2)], [(tilia.Tag(5, [1]), 1), (False, 2), (0, 3)]):
        data = tilia.encode(tilia.Map(pairs))
        value = tilia.decode(data)
        assert tilia.encode(value) == data and len(value) == len(pairs), (pairs, value)
        assert isinstance(value, tilia.Map) or len(pairs) == 1
    assert type(tilia.decode(tilia.encode({"a": 1, 2: None, b"": 3, None: 4}))) is dict
    assert type(tilia.decode(tilia.encode(tilia.Map([("a", 1)])))) is dict


def anything(r, depth=4):
    kind = r.randrange(10 if depth else 7)
    if kind == 0:
        return r.choice([1, -1]) * r.getrandbits(r.randrange(1, 100))
    if kind == 1:
        return r.choice([r.random(), float(r.getrandbits(20)), 1e300 * r.random(), math.inf, 2.0 ** -r.randrange(1100)])
    if kind == 2:
        return "".join(chr(r.choice([r.randrange(32, 127), r.randrange(0xa0, 0xd7ff), r.randrange(0x10000, 0x110000)]))
                       for _ in range(r.randrange(40)))
    if kind == 3:
        return r.getrandbits(8 * 300).to_bytes(300, "big")[:r.randrange(300)]
    if kind == 4:
        return r.choice([True, False])
    if kind == 5:
        return None
    if kind == 6:
        return r.randrange(-30, 30)
    if kind in (7, 8):
        return [anything(r, depth - 1) for _ in range(r.randrange(6))]
    return {r.choice([str(i), i + 2, b"%d" % i]): anything(r, depth - 1) for i in range(r.randrange(30))}


def test_random():
    r = random.Random(harness.SEED)
    for _ in range(3000):
        value = anything(r)
        data = tilia.encode(value)
        assert tilia.decode(data) == value, value
        assert tilia.encode(tilia.decode(data)) == data, value


def test_beside_cbor2():
    try:
        import cbor2
    except ImportError:
        raise harness.Skip("no python3-cbor2")
    r = random.Random(harness.SEED + 1)
    for _ in range(2000):
        value = anything(r)
        assert cbor2.loads(tilia.encode(value)) == value, value
        assert same(tilia.decode(cbor2.dumps(value)), value), value


def test_garbage():
    """Any bytes: a value or a tilia.Error, and what is a value is sent as the same value."""
    r = random.Random(harness.SEED + 2)
    seeds = [unhex(row[0]) for row in rows("values.txt")]
    values = 0
    for _ in range(20000):
        data = bytearray(r.choice(seeds) or b"\0")
        for _ in range(r.randrange(1, 4)):
            data[r.randrange(len(data))] = r.choice([r.randrange(256), 0xff, 0x9f, 0x5b, 0x1f])
        try:
            value = tilia.decode(bytes(data))
        except tilia.Error:
            continue
        values += 1
        again = tilia.encode(value)
        assert tilia.encode(tilia.decode(again)) == again, data.hex()
    assert values > 1000, values


def test_old_python():
    """All of the client is Python 3.6."""
    if sys.version_info < (3, 8):
        raise harness.Skip("this is an old one")
    folder = os.path.join(harness.ROOT, "libclient", "python", "tilia")
    for name in sorted(os.listdir(folder)):
        if name.endswith(".py"):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                ast.parse(file.read(), name, feature_version=(3, 6))


harness.main()
