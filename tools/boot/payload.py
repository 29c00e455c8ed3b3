#!/usr/bin/env python3
"""Makes what `tilia run` sends: payload.py FOLDER OUT.c

The minified tilia/__init__.py and tilia/_hub.py with a NUL between, deflated, and beside
them the client's other modules, each alone, as C arrays (tools/boot/payload.h). Minified:
comments, docstrings and blanks go, lines stay where they are, so tracebacks stay true; in the
payload local names get short. Works on tokens; ast.unparse came only with Python 3.9.
"""
import ast
import builtins
import io
import keyword
import os
import re
import string
import sys
import tokenize
import zlib

SKIP = (tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING,
        tokenize.NEWLINE, tokenize.ENDMARKER)


def minify(source):
    """The same program on the same lines, without comments, docstrings and spare blanks."""
    out = []
    row, depth, last, start = 1, 0, None, True
    tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    after = {i: t for i, t in enumerate(tokens[1:])}
    for i, token in enumerate(tokens):
        kind, text, (line, _), (end, _), _ = token
        if kind == tokenize.INDENT:
            depth += 1
        elif kind == tokenize.DEDENT:
            depth -= 1
        elif kind == tokenize.NEWLINE:
            start = True
        if kind in SKIP:
            continue
        if start and kind == tokenize.STRING and after[i].type in (tokenize.NEWLINE, tokenize.ENDMARKER):
            rest = next((t for t in tokens[i + 2:] if t.type not in (tokenize.NL, tokenize.COMMENT)), token)
            if rest.type != tokenize.DEDENT:
                continue
            text = "0"  # a body must not be empty
        if line > row:
            out.append("\n" * (line - row))
            row = line
            if start:
                out.append(" " * depth)
            last = None
        if last and word(last[-1]) and word(text[0]):
            out.append(" ")
        out.append(text)
        row, last, start = end, text, False
    return "".join(out) + "\n"


class Names(ast.NodeVisitor):
    """Which names are local to functions everywhere, and so may have any other name."""

    def __init__(self):
        self.local, self.other, self.path = set(), set(dir(builtins)), []

    def visit_FunctionDef(self, node):
        (self.local if self.inside() else self.other).add(node.name)
        public = all(part[0] != "_" for part in self.path + [node.name])
        arguments = node.args.args + node.args.kwonlyargs
        for argument in arguments:  # a caller may name those of what is public
            keep = public and not self.inside() and argument.arg != "self"
            (self.other if keep else self.local).add(argument.arg)
        for argument in node.args.vararg, node.args.kwarg:
            if argument:
                self.local.add(argument.arg)
        self.path.append("_function")
        self.generic_visit(node)
        self.path.pop()

    def visit_Lambda(self, node):
        self.local.update(a.arg for a in node.args.args)
        if node.args.vararg:
            self.local.add(node.args.vararg.arg)
        self.generic_visit(node)

    def visit_ClassDef(self, node):
        self.other.add(node.name)
        self.path.append(node.name)
        self.generic_visit(node)
        self.path.pop()

    def inside(self):
        return "_function" in self.path

    def visit_Name(self, node):
        if not isinstance(node.ctx, ast.Load):
            (self.local if self.inside() else self.other).add(node.id)

    def visit_Attribute(self, node):
        self.other.add(node.attr)
        self.generic_visit(node)

    def visit_keyword(self, node):
        self.other.add(node.arg)
        self.generic_visit(node)

    def visit_Global(self, node):
        self.other.update(node.names)

    def visit_alias(self, node):
        self.other.update((node.asname or node.name).split("."))

    def visit_ExceptHandler(self, node):
        if node.name:
            self.local.add(node.name)
        self.generic_visit(node)


def hub_names(core, hub):
    """Methods and attributes of the hub's own classes that nothing else has by that name."""
    own, other = set(), set()
    for node in ast.walk(ast.parse(core)):
        other.update(getattr(node, field, None) or "" for field in ("attr", "id", "name", "arg"))
    for node in ast.parse(hub).body:
        if isinstance(node, ast.ClassDef) and not node.bases:
            for part in ast.walk(node):
                if isinstance(part, ast.FunctionDef):
                    own.add(part.name)
                elif is_own(part) and not isinstance(part.ctx, ast.Load):
                    own.add(part.attr)
    for node in ast.walk(ast.parse(hub)):
        if isinstance(node, ast.Attribute) and not is_own(node):
            other.add(node.attr)
        elif not isinstance(node, (ast.Attribute, ast.FunctionDef)):
            other.update(getattr(node, field, None) or "" for field in ("id", "name", "arg"))
    return {name for name in own - other if not name.startswith("__")}


def is_own(node):
    """Whether the node is an attribute of one of the hub's own objects."""
    return (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
            and node.value.id in ("self", "worker", "stream", "hub"))


def shorten(sources):
    """The same programs with short names for what is local, the same in all of them."""
    names = Names()
    for source in sources:
        names.visit(ast.parse(source))
    own = hub_names(*sources)
    words = [re.findall(r"[A-Za-z_]\w*", source) for source in sources]
    used = {w for ws in words for w in ws}
    old = [n for n in (names.local - names.other) | own if len(n) > 2 and not n.startswith("__")]
    old.sort(key=lambda n: (-sum(ws.count(n) for ws in words), n))
    letters = string.ascii_lowercase + string.ascii_uppercase
    new = [n for n in list(letters) + [a + b for a in letters for b in letters]
           if n not in used and not keyword.iskeyword(n)]
    table = dict(zip(old, new))
    return [renamed(source, table) for source in sources]


def renamed(source, table):
    lines = source.splitlines(True)
    tokens = [t for t in tokenize.generate_tokens(io.StringIO(source).readline)
              if t.type == tokenize.NAME and t.string in table]
    for token in reversed(tokens):
        row, column = token.start
        line = lines[row - 1]
        lines[row - 1] = line[:column] + table[token.string] + line[column + len(token.string):]
    return "".join(lines)


def word(c):
    return c.isalnum() or c in "_\"'" or ord(c) > 127


def deflate(data):
    """Raw deflate, as small as zlib makes it; the first stage has a checksum of its own."""
    best = None
    for memory in range(1, 10):
        squeezer = zlib.compressobj(9, zlib.DEFLATED, -15, memory)
        packed = squeezer.compress(data) + squeezer.flush()
        if best is None or len(packed) < len(best):
            best = packed
    return best


def array(name, data):
    rows = [",".join(map(str, data[i:i + 32])) for i in range(0, len(data), 32)]
    return "static const unsigned char %s[] = {\n%s};\n" % (name, ",\n".join(rows))


def main():
    folder, target = sys.argv[1:]
    sources = {}
    for name in sorted(os.listdir(folder)):
        if name.endswith(".py"):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                sources[name] = minify(file.read())
            compile(sources[name], name, "exec")
    core = "\0".join(shorten([sources.pop("__init__.py"), sources.pop("_hub.py")]))
    for part in core.split("\0"):
        compile(part, "core", "exec")
    payload = deflate(core.encode())
    header = os.path.join(os.path.dirname(os.path.abspath(__file__)), "payload.h")
    text = ['/* Made by tools/boot/payload.py. */\n#include "%s"\n\n' % header, array("core", payload),
            "const struct payload payload_core = {NULL, core, sizeof core, %uu};\n" % zlib.crc32(payload)]
    rows = []
    for i, (name, source) in enumerate(sources.items()):
        text.append(array("module_%d" % i, source.encode()))
        rows.append('{"tilia/%s", module_%d, sizeof module_%d, 0}' % (name, i, i))
    text.append("const struct payload payload_modules[] = {%s};\n" % ", ".join(rows + ["{NULL, NULL, 0, 0}"]))
    with open(target, "w") as file:
        file.write("".join(text))


if __name__ == "__main__":
    main()
