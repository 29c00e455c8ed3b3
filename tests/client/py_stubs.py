#!/usr/bin/python3
"""The types of the stubs are of what is there."""
import ast
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness
import tilia
import tilia.atomic
import tilia.claims
import tilia.watch
from wire import Wire

FOLDER = os.path.dirname(tilia.__file__)


def stub(name):
    """{class or function: {method: its keywords}} of a stub."""
    tree = ast.parse(open(os.path.join(FOLDER, name)).read())
    found = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            methods = found[node.name] = {}
            for part in node.body:
                if isinstance(part, ast.FunctionDef):
                    words = methods.setdefault(part.name, set())
                    words.update(a.arg for a in part.args.kwonlyargs)
                elif isinstance(part, ast.AnnAssign):
                    methods[part.target.id] = None
        elif isinstance(node, ast.FunctionDef):
            found[node.name] = None
        elif isinstance(node, ast.AnnAssign):
            found[node.target.id] = None
    return found


def public(thing):
    return {name for name in vars(thing) if not name.startswith("_")}


def test_every_class_function_and_method_has_a_type():
    for module, name in (tilia, "__init__.pyi"), (tilia.atomic, "atomic.pyi"), (tilia.claims, "claims.pyi"), \
            (tilia.watch, "watch.pyi"):
        types = stub(name)
        for key, methods in types.items():
            there = getattr(module, key)
            for method, words in (methods or {}).items():
                assert words is None or callable(getattr(there, method)), (name, key, method)
        for key in public(module):
            there = getattr(module, key)
            if getattr(there, "__module__", None) != module.__name__ or key == "Template":
                continue
            assert key in types, (name, key)
            if isinstance(there, type) and not issubclass(there, (tuple, list)) and types[key]:
                assert public(there) - set(types[key]) <= {"channel"}, (name, key, public(there) - set(types[key]))


def test_the_options_of_the_protocol_are_in_the_types():
    """Those of a request that the features of the server name."""
    server = harness.tiliad()
    wire = Wire(server.address)
    wire.send("hello", {"v": 1})
    types = stub("__init__.pyi")["Space"]
    methods = {"out": "out", "outs": "outs", "in": "in_", "rd": "rd", "count": "count", "wait": "wait",
               "watch": "watch"}
    features = [f.split(".") for f in wire.receive()[2]["features"] if "." in f]
    assert len(features) > 10
    for op, option in features:
        if op in methods and (op, option) != ("in", "lease"):  # claims have that
            assert option in types[methods[op]], (op, option)
        elif op == "space":
            assert option in types["create"], option


harness.main()
