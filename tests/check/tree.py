#!/usr/bin/python3
"""The tree itself: its texts, its headers, its manual pages, its version."""
import glob
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness  # noqa: E402

COLUMNS = 100


def files(*endings):
    """(path from the root, text) of every file of ours that is text."""
    for folder, folders, names in os.walk(harness.ROOT):
        folders[:] = sorted(f for f in folders if f not in (".git", "build", "__pycache__", "corpus")
                            and os.path.join(folder, f) != harness.BUILD)
        for name in sorted(names):
            path = os.path.join(folder, name)
            if name.endswith(".db"):  # a store that is kept
                continue
            if (not endings or name.endswith(endings)) and name != ".git" and not os.path.islink(path):
                with open(path, encoding="utf-8") as f:
                    yield os.path.relpath(path, harness.ROOT), f.read()


def none(found):
    found = list(found)
    assert not found, "\n" + "\n".join(found[:20])


def test_no_line_of_c_is_too_long():
    """A tab is 8 columns. A piece of text that begins its line is not cut for it."""
    none("%s:%d: %d columns" % (path, n, len(line.expandtabs(8))) for path, text in files(".c", ".h")
         for n, line in enumerate(text.splitlines(), 1)
         if len(line.expandtabs(8)) > COLUMNS and not re.match(r"\s*[?:]? ?\"", line))


def test_what_the_journals_manual_names_as_shown_is_a_test():
    with open(os.path.join(harness.ROOT, "docs", "journal.md"), encoding="utf-8") as f:
        part = f.read().split("## What can be lost")[1]
    tests = dict(files(".c", ".py"))
    known = " ".join(text for path, text in tests.items() if path.startswith("tests/"))
    known += " ".join(os.path.basename(path) for path in tests)
    names = set(re.findall(r"`(\w+\.py|[a-z]+(?:_[a-z]+){3,})`", part))
    assert len(names) > 20, names
    none(name for name in sorted(names) if not re.search(r"\b(test_)?%s\b" % re.escape(name), known))


def test_lines_end_clean():
    for path, text in files():
        none("%s:%d: blanks at the end" % (path, n) for n, line in enumerate(text.split("\n"), 1) if line != line.rstrip())
        assert not text or text.endswith("\n"), path + " has no newline at its end"


def test_nothing_knows_where_it_was_made():
    """No path of this checkout, nor of the home of who made it."""
    homes = [os.path.expanduser("~") + "/", harness.ROOT + "/"]
    none("%s names %s" % (path, home) for path, text in files() for home in homes
         if home.count("/") > 2 and home in text)


def flags(*packages):
    return subprocess.check_output(["pkg-config", "--cflags", *packages], text=True).split()


def compiles(argv):
    p = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert p.returncode == 0, p.stdout


def test_headers_stand_alone():
    headers = [os.path.join(harness.ROOT, path) for path, _ in files(".h")]
    assert len(headers) > 50
    compiles(["cc", "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-x", "c",
              "-I" + os.path.join(harness.ROOT, "libclient"), *flags("libuv", "libcbor", "sqlite3"), *headers])


def test_tilia_h_is_c99_and_cxx():
    header = os.path.join(harness.ROOT, "libclient", "tilia.h")
    compiles(["cc", "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-x", "c", header])
    cxx = shutil.which("clang++") or shutil.which("c++")
    if not cxx:
        raise harness.Skip("there is no C++ compiler here")
    compiles([cxx, "-std=c++11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-x", "c++", header])


def test_manual_pages_are_right():
    if not shutil.which("mandoc"):
        raise harness.Skip("mandoc is not installed")
    pages = sorted(glob.glob(os.path.join(harness.ROOT, "docs", "man", "*.[0-9]")))
    assert len(pages) >= 3
    p = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", *pages], stdout=subprocess.PIPE, text=True)
    assert p.returncode == 0, p.stdout


def test_the_manual_has_every_command_and_option():
    with open(os.path.join(harness.ROOT, "docs", "man", "tilia.1")) as f:
        page = f.read()
    commands = re.findall(r"^  (\w+)  ", subprocess.check_output([harness.TILIA, "--help"], text=True), re.M)
    assert len(commands) > 10
    for command in commands:
        assert re.search(r"^\.(It|Ic|Nm|Ss|Cm|Bk).*\b%s\b" % command, page, re.M), command
        help = subprocess.check_output([harness.TILIA, command, "--help"], text=True)
        for option in re.findall(r"^  (?:-\w,|   ) --([a-z-]+)", help, re.M):
            assert re.search(r"^\.(?:It |Op )?Fl .*-%s\b" % option, page, re.M), (command, option)


def test_there_is_one_version():
    with open(os.path.join(harness.ROOT, "VERSION")) as f:
        version = f.read().strip()
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    for argv, want in (([harness.TILIAD, "--version"], "tiliad "), ([harness.TILIA, "--version"], "tilia "),
                       ([harness.TILIA, "version"], "tilia ")):
        assert subprocess.check_output(argv, text=True) == want + version + "\n", argv
    with open(os.path.join(harness.ROOT, "CHANGES")) as f:
        assert f.readline().split()[0] == version


harness.main()
