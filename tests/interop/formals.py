#!/usr/bin/python3
"""Templates as section 4 of docs/protocol.md has them, by a stranger.

A decoder and a matcher written from that text alone, with nothing of ours: they judge every
line of tests/vectors/templates.txt, and then random templates and tuples of python3-cbor2's
beside the server.
"""
import math
import os
import random
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness  # noqa: E402

try:
    import cbor2
    import wire
except ImportError:
    cbor2 = None

FORMAL = 21580
TYPES = "null bool int float number text bytes array map tag simple undefined".split()


class Bad(Exception):
    """A template the server must refuse."""


def decode(data, at=0):
    """(node, end) of the item there: (type, value), maps as pairs, tags as (number, node)."""
    major, info = data[at] >> 5, data[at] & 31
    at += 1
    n = info
    if info > 23:
        size = 1 << info - 24
        raw = data[at:at + size]
        n = int.from_bytes(raw, "big")
        at += size
    if major == 0:
        return ("int", n), at
    if major == 1:
        return ("int", -1 - n), at
    if major in (2, 3):
        part = data[at:at + n]
        return (("bytes", part) if major == 2 else ("text", part)), at + n
    if major in (4, 5):
        items = []
        for _ in range(n * (major - 3)):
            item, at = decode(data, at)
            items.append(item)
        return (("array", items) if major == 4 else ("map", list(zip(items[::2], items[1::2])))), at
    if major == 6:
        content, at = decode(data, at)
        if n in (2, 3) and content[0] == "bytes":
            value = int.from_bytes(content[1], "big")
            return ("int", value if n == 2 else -1 - value), at
        return ("tag", (n, content)), at
    if info > 24:
        return ("float", struct.unpack(">" + "efd"[info - 25], raw)[0]), at
    return ({20: ("bool", False), 21: ("bool", True), 22: ("null", None), 23: ("undefined", None)}
            .get(n, ("simple", n))), at


def equal(a, b):
    kind, x = a
    y = b[1]
    if kind != b[0]:
        return False
    if kind == "float":
        return x != x and y != y or x == y and math.copysign(1, x) == math.copysign(1, y)
    if kind == "array":
        return len(x) == len(y) and all(map(equal, x, y))
    if kind == "map":
        return len(x) == len(y) and all(any(equal(k, l) and equal(v, w) for l, w in y) for k, v in x)
    if kind == "tag":
        return x[0] == y[0] and equal(x[1], y[1])
    return x == y


def holds_formal(node):
    kind, value = node
    if kind == "tag":
        return value[0] == FORMAL or holds_formal(value[1])
    if kind == "array":
        return any(map(holds_formal, value))
    return kind == "map" and any(holds_formal(k) or holds_formal(v) for k, v in value)


def is_type(kind, name):
    return name is None or kind == name or name == "number" and kind in ("int", "float")


def limits_of(content):
    """(type's name or None, {key: node}) of a formal's content, checked."""
    kind, value = content
    if kind == "map":
        limits = {}
        for key, item in value:
            if key[0] != "text":
                raise Bad("a key that is no text")
            limits[key[1].decode()] = item
        name = limits.pop("type", ("null", None))
    else:
        limits, name = {}, content
    if name[0] == "null":
        name = None
    elif name[0] == "text" and name[1].decode() in TYPES:
        name = name[1].decode()
    else:
        raise Bad("no type")
    for key, (kind, value) in limits.items():
        if key in ("ge", "gt", "le", "lt"):
            if name not in ("int", "float", "number", "text", "bytes") or not is_type(kind, name) or value != value:
                raise Bad(key)
        elif key == "ne":
            if holds_formal((kind, value)):
                raise Bad(key)
        elif key == "oneof":
            if kind != "array" or not 1 <= len(value) <= 1024 or holds_formal((kind, value)):
                raise Bad(key)
        elif key == "prefix":
            if kind not in ("text", "bytes") or name not in (None, kind):
                raise Bad(key)
        elif key == "has":
            if kind != "map" or name not in (None, "map"):
                raise Bad(key)
        elif key == "order":
            if name not in ("int", "float", "number", "text", "bytes") or kind != "text" or value not in (b"min", b"max"):
                raise Bad(key)
        else:
            raise Bad(key)
    return name, limits


def order_of(node):
    """(field, "min" or "max") of a template that has one, or None. Raises Bad for a second."""
    kind, fields = node
    found = []
    for at, (kind, value) in enumerate(fields if kind == "array" else []):
        if kind == "tag" and value[0] == FORMAL:
            _, limits = limits_of(value[1])
            if "order" in limits:
                found.append((at, limits["order"][1].decode()))
    if len(found) > 1:
        raise Bad("two orders")
    return found[0] if found else None


def place(order, node):
    """What sorts tuples, oldest first, by an order."""
    value = node[1][order[0]][1]
    if value != value:
        return (1, 0)
    return (0, Down(value) if order[1] == "max" else value)


class Down:
    """Values the other way round."""

    def __init__(self, value):
        self.value = value

    def __lt__(self, other):
        return other.value < self.value

    def __eq__(self, other):
        return other.value == self.value


def check(node, depth=0):
    """Raises Bad for a template that is none."""
    kind, value = node
    if depth == 0:
        order_of(node)
    if kind == "tag" and value[0] == FORMAL:
        _, limits = limits_of(value[1])
        if "order" in limits and depth != 1:
            raise Bad("an order inside of a field")
        if "has" in limits:
            check(limits["has"], depth + 1)
    elif kind == "tag":
        check(value[1], depth + 1)
    elif kind == "array":
        for item in value:
            check(item, depth + 1)
    elif kind == "map":
        for key, item in value:
            if holds_formal(key):
                raise Bad("a formal in a key")
            check(item, depth + 1)


def admits(content, node):
    """Whether a formal matches. Python compares int and float exactly, and bytes as we must."""
    name, limits = limits_of(content)
    kind, value = node
    if not is_type(kind, name):
        return False
    for key, (other, limit) in limits.items():
        if key == "ge" and not value >= limit or key == "gt" and not value > limit:
            return False
        if key == "le" and not value <= limit or key == "lt" and not value < limit:
            return False
        if key == "ne" and equal(node, (other, limit)):
            return False
        if key == "oneof" and not any(equal(node, one) for one in limit):
            return False
        if key == "prefix" and not (kind == other and value.startswith(limit)):
            return False
        if key == "has" and not (kind == "map" and all(any(equal(k, l) and matches(t, v) for l, v in value)
                                                       for k, t in limit)):
            return False
    return True


def matches(template, node):
    kind, value = template
    if kind == "tag" and value[0] == FORMAL:
        return admits(value[1], node)
    if kind != node[0]:
        return False
    other = node[1]
    if kind == "array":
        return len(value) == len(other) and all(map(matches, value, other))
    if kind == "map":
        return len(value) == len(other) and all(any(equal(k, l) and matches(t, v) for l, v in other)
                                                for k, t in value)
    if kind == "tag":
        return value[0] == other[0] and matches(value[1], other[1])
    return equal(template, node)


def whole(template, node):
    return template[0] == "null" or matches(template, node)


def test_every_vector():
    count = 0
    for line in open(os.path.join(harness.ROOT, "tests", "vectors", "templates.txt"), encoding="utf-8"):
        if line.strip() and not line.startswith("#"):
            template, value, verdict, _, _, about = line.rstrip("\n").split("\t")
            template, value = decode(bytes.fromhex(template))[0], decode(bytes.fromhex(value))[0]
            check(template)
            assert whole(template, value) == (verdict == "match"), line
            count += 1
    assert count > 700, count


# Random ones


def tag(number, value):
    return cbor2.CBORTag(number, value)


def scalar(r):
    near = r.choice([0, 1, 5, 2 ** 53, 2 ** 64, 2 ** 70]) + r.randint(-1, 1)
    return r.choice([
        lambda: near, lambda: -near, lambda: r.randint(0, 5), lambda: float(near), lambda: -float(near),
        lambda: r.randint(-4, 12) / 4, lambda: r.choice([math.inf, -math.inf, math.nan, -0.0, 0.0]),
        lambda: "".join(r.choice("ab\u00e9\0") for _ in range(r.randint(0, 3))),
        lambda: bytes(r.choice(b"ab\0\xff") for _ in range(r.randint(0, 3))),
        lambda: r.choice([None, True, False, cbor2.undefined])])()


def value(r, depth=2):
    kind = r.randint(0, 9)
    if depth == 0 or kind < 6:
        return scalar(r)
    if kind < 7:
        return [value(r, depth - 1) for _ in range(r.randint(0, 2))]
    if kind < 9:
        return {key: value(r, depth - 1) for key in r.sample(["k", "l", 1, -1, b"k", 100], r.randint(0, 3))}
    return tag(1000, value(r, depth - 1))


def formal(r, depth):
    if r.random() < .2:
        return tag(FORMAL, r.choice([None, r.choice(TYPES)]))
    limits = {}
    kind = r.choice(["int", "float", "number", "text", "bytes", None])
    bound = {"int": lambda: r.choice([r.randint(-3, 5), scalar(r)]), "float": lambda: r.randint(-4, 12) / 4,
             "number": lambda: scalar(r), "text": lambda: r.choice(["", "a", "b", "\u00e9"]),
             "bytes": lambda: r.choice([b"", b"a", b"b\xff"]), None: lambda: scalar(r)}[kind]
    if kind and r.random() < .95:
        limits["type"] = kind
    if kind and r.random() < .6:
        for key in r.sample(["ge", "gt", "le", "lt"], r.randint(1, 2)):
            limits[key] = bound()
    if r.random() < .3:
        limits["ne"] = value(r, 1)
    if r.random() < .2:
        limits["oneof"] = [bound() if r.random() < .5 else value(r, 1) for _ in range(r.randint(0 if r.random() < .05 else 1, 20))]
    if r.random() < .2:
        limits["prefix"] = r.choice(["", "a", "\u00e9", b"a", b"", "ab"])
    if depth and kind is None and r.random() < .6:
        limits["has"] = {key: template(r, depth - 1) for key in r.sample(["k", "l", 1, -1, b"k", 100], r.randint(0, 2))}
    if r.random() < .3:
        limits["order"] = r.choice(["min", "max"])
    if r.random() < .02:
        limits[r.choice(["order", "eq", "min"])] = 1
    return tag(FORMAL, limits)


def template(r, depth=2):
    kind = r.random()
    if kind < .7:
        return formal(r, depth)
    if depth and kind < .8:
        return [template(r, depth - 1) for _ in range(r.randint(0, 2))]
    if depth and kind < .9:
        return {key: template(r, depth - 1) for key in r.sample(["k", "l", 1], r.randint(0, 2))}
    if depth and kind < .92:
        return tag(1000, template(r, depth - 1))
    return value(r)


def test_random_templates_beside_the_server():
    if cbor2 is None:
        raise harness.Skip("python3-cbor2 is not installed")
    r = random.Random(harness.SEED)
    w = wire.Wire(harness.tiliad().address)
    tuples = [[value(r)] for _ in range(600)] + [["x", value(r)] for _ in range(400)]
    code, ids = w.ask("outs", "main", tuples)
    assert code == 0, ids
    nodes = {one: decode(cbor2.dumps(item, canonical=True))[0] for one, item in zip(ids, tuples)}
    hits = refused = ordered = 0
    for i in range(4000):
        item = [template(r)] if i % 3 else ["x", template(r)]
        node = decode(cbor2.dumps(item, canonical=True))[0]
        code, *answer = w.ask("rd", "main", item, {"max": 1024, "timeout": 0})
        try:
            check(node)
        except Bad as why:
            assert code == -3, (item, answer, why)
            refused += 1
            continue
        assert code == 0, (item, answer)
        got = [row[0] for row in answer[0]]
        want = [one for one in ids if whole(node, nodes[one])]
        order = order_of(node)
        if order:
            want.sort(key=lambda one: place(order, nodes[one]))
            ordered += len(want) > 1
        assert got == want, (item, [tuples[ids.index(one)] for one in set(got) ^ set(want)])
        hits += bool(want)
    assert hits > 500 and refused > 100 and ordered > 50, (hits, refused, ordered)


harness.main()
