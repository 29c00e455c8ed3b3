"""Formals that ask for more than a type.

    from tilia import formals
    space.in_("job", formals.between(1, 9), formals.prefix("img/"))
    space.in_("job", formals.has({"w": formals.ge(640), "tags": [..., "new"]}))
    space.in_("job", formals.oneof("new", "again"), formals.gt(0, le=100, ne=50))
    space.in_("job", formals.least(int), str)
    space.in_("job", formals.between(1, 9, order="max"), str)

Every function takes the others' conditions as keywords: ge gt le lt ne oneof prefix has, and
type: a type as in templates (int, float, tilia.number, ...). Without it a range is of its bounds'
type: ge(1) is for integers only, between(1, 2.5) for integers and floats (tilia.number).
order="min" or order="max" says which match comes first, when it is not the oldest; least() and
greatest() are these alone. One field of a template may have it.
The values of has may be formals themselves; those of ne and oneof are values.
"""
from . import Error, FORMALS, Tag

BOUNDS = "ge", "gt", "le", "lt"
KEYS = BOUNDS + ("ne", "oneof", "prefix", "has", "order")


def between(low, high, **more):
    """From low to high, both included."""
    return formal(dict(more, ge=low, le=high))


def ge(bound, **more):
    """At least the bound."""
    return formal(dict(more, ge=bound))


def gt(bound, **more):
    """More than the bound."""
    return formal(dict(more, gt=bound))


def le(bound, **more):
    """At most the bound."""
    return formal(dict(more, le=bound))


def lt(bound, **more):
    """Less than the bound."""
    return formal(dict(more, lt=bound))


def ne(value, **more):
    """Another value, of any type unless one is given."""
    return formal(dict(more, ne=value))


def oneof(*values, **more):
    """One of 1 to 1,024 values."""
    return formal(dict(more, oneof=values))


def prefix(start, **more):
    """A text, or bytes, that begins so."""
    return formal(dict(more, prefix=start))


def has(entries, **more):
    """A map with at least these entries."""
    return formal(dict(more, has=entries))


def least(type, **more):
    """Of a type; the match with the least value comes first, of equal ones the oldest."""
    return formal(dict(more, type=type, order="min"))


def greatest(type, **more):
    """Of a type; the match with the greatest value comes first, of equal ones the oldest."""
    return formal(dict(more, type=type, order="max"))


def formal(limits):
    """The formal of a dict of conditions."""
    limits = dict(limits)
    name = _name(limits.pop("type", None))
    for key in limits:
        if key not in KEYS:
            raise Error(-3, "no such condition: %s" % key)
    kinds = {_kind(limits[key]) for key in BOUNDS if key in limits}
    if not name and kinds:
        name = kinds.pop() if len(kinds) == 1 else "number" if kinds == {"int", "float"} else None
        if not name:
            raise Error(-3, "bounds of several types: %s" % " ".join(sorted(kinds)))
    if "order" in limits:
        if limits["order"] not in ("min", "max"):
            raise Error(-3, "neither min nor max: %r" % (limits["order"],))
        if name not in ("int", "float", "number", "text", "bytes"):
            raise Error(-3, "min and max need a type: int, float, tilia.number, str or bytes")
    if name:
        limits["type"] = name
    return Tag(21580, limits)


def _kind(bound):
    """The type of a range with this bound."""
    if bound != bound:
        raise Error(-3, "NaN is no bound")
    if not isinstance(bound, bool):
        for kind, name in (float, "float"), (str, "text"), ((bytes, bytearray, memoryview), "bytes"):
            if isinstance(bound, kind):
                return name
        if hasattr(bound, "__index__") and not isinstance(bound, type):
            return "int"
    raise Error(-3, "a bound is int, float, str or bytes, not %r" % (bound,))


def _name(kind):
    """The protocol's name of a type as templates have it; None: none is named."""
    if isinstance(kind, Tag) and kind.number == 21580:
        kind = kind.value
    if kind is None or isinstance(kind, str):
        return kind
    try:
        return FORMALS[kind]
    except (KeyError, TypeError):
        raise Error(-3, "no type of fields: %r" % (kind,))
