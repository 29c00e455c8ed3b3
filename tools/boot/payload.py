#!/usr/bin/env python3
"""Makes what `tilia run` sends: payload.py FOLDER OUT.c

The minified tilia/__init__.py and tilia/_hub.py with a NUL between, deflated, and beside
them the client's other modules, each alone, as C arrays (tools/boot/payload.h). Minified:
comments, docstrings and blanks go, lines stay where they are, so tracebacks stay true. Works on
tokens; ast.unparse came only with Python 3.9.
"""
import io
import os
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
            if depth:  # a body must not be empty
                text = "0"
            else:
                continue
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


def word(c):
    return c.isalnum() or c in "_\"'" or ord(c) > 127


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
    core = sources.pop("__init__.py") + "\0" + sources.pop("_hub.py")
    payload = zlib.compress(core.encode(), 9)
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
