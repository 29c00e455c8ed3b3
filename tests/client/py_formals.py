#!/usr/bin/python3
"""tilia.formals: what the functions build, and what the server makes of it."""
import math
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness
import tilia
from tilia import formals


def built(formal):
    assert formal.number == 21580
    return formal.value


def refused(call, *texts):
    try:
        value = call()
    except tilia.Error as error:
        assert error.word == "value", error.word
        for text in texts:
            assert text in str(error), (text, str(error))
    else:
        raise AssertionError("built %r" % (value,))


def test_a_range_has_the_type_of_its_bounds():
    assert built(formals.between(1, 9)) == {"type": "int", "ge": 1, "le": 9}
    assert built(formals.between(1.0, 9.5)) == {"type": "float", "ge": 1.0, "le": 9.5}
    assert built(formals.between(1, 9.5))["type"] == "number"
    assert built(formals.ge(2 ** 70)) == {"type": "int", "ge": 2 ** 70}
    assert built(formals.gt("a")) == {"type": "text", "gt": "a"}
    assert built(formals.le(b"a")) == {"type": "bytes", "le": b"a"}
    assert built(formals.lt(-math.inf)) == {"type": "float", "lt": -math.inf}
    assert built(formals.ge(1, type=tilia.number))["type"] == "number"
    assert built(formals.ge(1, type=float)) == {"type": "float", "ge": 1}  # the server refuses it

    class Index:
        def __index__(self):
            return 5
    assert built(formals.ge(Index()))["type"] == "int"


def test_conditions_combine():
    assert built(formals.gt(0, le=100, ne=50)) == {"type": "int", "gt": 0, "le": 100, "ne": 50}
    assert built(formals.oneof(1, 2)) == {"oneof": (1, 2)}
    assert built(formals.oneof("a", type=str)) == {"type": "text", "oneof": ("a",)}
    assert built(formals.ne(None)) == {"ne": None}
    assert built(formals.prefix("img/", ne="img/x")) == {"prefix": "img/", "ne": "img/x"}
    assert built(formals.has({"k": int})) == {"has": {"k": int}}
    assert built(formals.formal({"type": int})) == {"type": "int"}


def test_wrong_conditions():
    refused(lambda: formals.ge(True), "True")
    refused(lambda: formals.ge(None), "None")
    refused(lambda: formals.ge(int), "int")
    refused(lambda: formals.ge([1]), "[1]")
    refused(lambda: formals.ge(math.nan), "NaN")
    refused(lambda: formals.between(1, "a"), "int text")
    refused(lambda: formals.ge(1, least=2), "no such condition: least")
    refused(lambda: formals.ge(1, order="least"), "neither min nor max")
    refused(lambda: formals.least(bool), "need a type")
    refused(lambda: formals.ne(1, order="min"), "need a type")
    refused(lambda: formals.ge(1, type=set), "set")
    refused(lambda: formals.ge(1, type=[]), "[]")


def test_the_server_matches_them():
    space = tilia.space(address=harness.tiliad().address)
    for item in 1, 5, 9, 10, 2.0, 5.5, "img/a", "img/b", "doc", b"img/", {"k": 1, "l": [1, "x"]}, {"k": 2}, None, 2 ** 70:
        space.out("job", item)

    def found(formal):
        return [row[1] for row in space.rdp("job", formal, max=100)]

    assert found(formals.between(1, 9)) == [1, 5, 9]
    assert found(formals.between(2, 5.5)) == [5, 2.0, 5.5]
    assert found(formals.ge(2.0)) == [2.0, 5.5]
    assert found(formals.gt(9)) == [10, 2 ** 70]
    assert found(formals.gt(1, lt=10, ne=5)) == [9]
    assert found(formals.le(2, type=tilia.number)) == [1, 2.0]
    assert found(formals.prefix("img/")) == ["img/a", "img/b"]
    assert found(formals.prefix(b"img")) == [b"img/"]
    assert found(formals.oneof(1, "doc", None)) == [1, "doc", None]
    assert found(formals.ne("doc", type=str)) == ["img/a", "img/b"]
    assert found(formals.has({"k": int})) == [{"k": 1, "l": [1, "x"]}, {"k": 2}]
    assert found(formals.has({"l": [formals.ge(1), ...]})) == [{"k": 1, "l": [1, "x"]}]
    assert found(formals.has({"k": formals.gt(1)})) == [{"k": 2}]
    assert found([formals.ge(1)]) == []
    assert space.count("job", tilia.Formal("int", ge=1, le=5)) == 2
    assert space.count("job", tilia.Formal(None, oneof=[1, 5])) == 2
    assert found(formals.least(int)) == [1, 5, 9, 10, 2 ** 70]
    assert found(formals.greatest(tilia.number, lt=6)) == [5.5, 5, 2.0, 1]
    assert found(formals.between(2, 5.5, order="min")) == [2.0, 5, 5.5]
    assert found(formals.prefix("img/", type=str, order="max")) == ["img/b", "img/a"]
    assert found(tilia.Formal("int", order="max"))[0] == 2 ** 70
    for wrong in formals.ge(1, type=float), formals.ge(1, type=bool), formals.oneof(), formals.ne(int), \
            tilia.Formal("bool", order="min"):
        try:
            space.inp("job", wrong)
        except tilia.Error as error:
            assert error.word == "value", error
        else:
            raise AssertionError(wrong)
    space.close()


harness.main()
