#!/usr/bin/python3
"""What is refused before a server is asked, help, and completion."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness  # noqa: E402


def run(*args, stdin=b""):
    env = dict(os.environ, TILIA="unix:/nonexistent/s")
    p = subprocess.run([harness.TILIA, *args], input=stdin, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, env=env, timeout=20)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def usage(*args, stdin=b""):
    status, out, err = run(*args, stdin=stdin)
    assert (status, out) == (2, ""), (args, status, out, err)
    assert err.startswith("tilia "), err
    return err


def caret(*args, stdin=b""):
    """The character the caret of a refusal is under."""
    lines = usage(*args, stdin=stdin).rstrip("\n").splitlines()
    assert lines[-1].strip() == "^", lines
    return lines[-2][lines[-1].index("^"):][:1]


def dry(*args, stdin=b""):
    status, out, err = run(*args, stdin=stdin)
    assert (status, err) == (0, ""), (args, status, out, err)
    return out


COMMANDS = [line.split()[0] for line in run("help")[1].splitlines() if line.startswith("  ")]


def test_every_command_has_help():
    assert {"out", "in", "inp", "rd", "rdp", "ls", "rm", "count", "wait", "atomic", "watch", "space", "stats", "pipe", "relay", "run",
            "backup", "restore", "check", "dump", "load", "bench", "version", "help"} <= set(COMMANDS), COMMANDS
    for name in COMMANDS:
        status, out, err = run(name, "--help")
        assert (status, err) == (0, "") and out.startswith("usage: tilia " + name), (name, out, err)
        assert run("help", name)[1] == out
        assert all(len(line) <= 110 for line in out.splitlines()), name


def test_steps_are_read_before_a_server_is_asked():
    steps = ("in", '["counter", ?int]', "no", "--visible", "--space", "s", "[1]",
             "out", "--ttl", "5s", "--delay", "1s", '["counter", @0.1+1]')
    want = '[["in", "main", ["counter", ?int]], ["no", "s", [1], {"hidden": false}], ' \
        '["out", "main", ["counter", @0.1+1], {"ttl": 5000, "delay": 1000}]]\n'
    assert dry("atomic", "--dry-run", *steps) == want
    lines = b'in ["counter", ?int]\n\n no --visible --space s [1]\n' \
        b'out --delay 1s --ttl 5s ["counter", @0.1+1]'
    assert dry("atomic", "--dry-run", "-", stdin=lines) == want
    assert dry("atomic", "--dry-run", "--space", "s", "rd", "[1]") == '[["rd", "s", [1]]]\n'
    assert caret("atomic", "in", "[1]", "out", "[@0.x]") == "x"
    assert caret("atomic", "-", stdin=b"in [?nt]") == "n"
    for wrong in ((), ("in",), ("job",), ("in", "--visible", "[1]"), ("in", "--ttl", "1s", "[1]"),
                  ("out", "--ttl", "[1]"), ("out", "--ttl"), ("out", "[?]"), ("in", "[@0.0]"),
                  ("--raw", "n", "in", "[?]")):
        usage("atomic", *wrong)
    usage("atomic", "-", stdin=b"in [1")


def test_unknown_commands_and_options():
    assert run("nonsense")[0] == 2 and "tilia help" in run("nonsense")[2]
    assert "--nonsense" in usage("in", "--nonsense", "x")
    assert "-x" in usage("in", "-x", "y")
    assert "value is missing" in usage("in", "--space")
    assert "no value belongs" in usage("in", "--any=3")
    assert run()[0] == 2


def test_options_stand_before_the_fields():
    assert "before the fields" in usage("in", "job", ":int", "--timeout", "5s")
    assert dry("in", "--dry-run", "job", "--", "--timeout") == '["job", "--timeout"]\n'


def test_numbers_are_never_options():
    assert dry("out", "--dry-run", "job", "-5") == '["job", -5]\n'
    assert dry("out", "--dry-run", "-5") == "[-5]\n"
    assert dry("out", "--dry-run", "-0.5", "-1e3", "-0") == "[-0.5, -1000.0, 0]\n"
    assert dry("in", "--dry-run", "-n5", "x", "-") == '["x", "-"]\n'


def test_words_and_templates():
    assert dry("in", "--dry-run", ":int", "n:text", ":any", "?int") == '[?int, ?text, ?, "?int"]\n'
    assert dry("in", "--dry-run", '["job", ?n:int, [?, {"k": ?text}]]') == '["job", ?int, [?, {"k": ?text}]]\n'
    assert dry("out", "--dry-run", "http://x", "C:\\x", "12:30", "a b", "") == \
        '["http://x", "C:\\\\x", "12:30", "a b", ""]\n'


def test_formals_have_no_place_in_out():
    assert caret("out", '["job", ?int]') == "?"
    usage("out", "job", ":int")


def test_carets_stand_under_the_fault():
    assert caret("in", '["job", ?nonsense]') in "?n"
    assert caret("out", '["job" 1]') == "1"
    assert caret("out", "[1, }") == "}"
    assert caret("out", "[1, {1: 2, 1: 3}]") in "1{"
    usage("in", "job", ":nonsense")
    for template, at in (('["job", ?int 1..2.5]', "2"), ('["job", ?map min]', "m"), ('[? ..9]', "9"),
                         ('["job", ?("a"|?)]', "?"), ('["job", ?text^5]', "5"), ('[{?int: 1}]', "?")):
        assert caret("in", template) == at, template
    assert "min and max need a type" in usage("in", "[? min]")


def test_constraints_of_formals():
    assert dry("in", "--dry-run", '["job", ?n:int 1..9, ?text ^ "img/", ?has{"k": ?("a" | "b")}!=null]') == \
        '["job", ?int 1..9, ?text^"img/", ?has{"k": ?("a"|"b")}!=null]\n'
    assert dry("in", "--dry-run", "job", '[?int>0, {"k": ?}]') == '["job", [?int>0, {"k": ?}]]\n'


def test_wrong_lines_are_named():
    status, out, err = run("out", "--dry-run", "-", stdin=b"[1]\n[2}\n[3]\n")
    assert (status, out) == (2, "[1]\n"), (status, out, err)
    assert "line 2" in err and err.rstrip().endswith("^")
    status, out, err = run("out", "--dry-run", "--lines", "x", stdin=b"a\n\xff\nb\n")
    assert (status, out) == (2, '["x", "a"]\n') and "line 2" in err, (out, err)
    status, out, err = run("out", "--dry-run", "-", stdin=b"17\n")
    assert status == 2 and "[...]" in err


def test_several_whole_tuples_are_refused():
    assert "one at a time" in usage("out", "[1]", "[2]")
    assert dry("out", "--dry-run", "x", "[1]", "[2]") == '["x", [1], [2]]\n'


def test_fields_limit():
    assert dry("out", "--dry-run", *["1"] * 255) == "[" + ", ".join(["1"] * 255) + "]\n"
    assert "255" in usage("out", "--dry-run", *["1"] * 256)
    assert "255" in usage("out", "--dry-run", *["1"] * 300)
    assert dry("out", "--dry-run", *["1"] * 254, "--", "-x").endswith('"-x"]\n')


def test_values_of_options():
    for bad in ("5", "5 s", "s", "-1s", "1d", ""):
        assert "duration" in usage("in", "--timeout", bad, "x"), bad
    for good in ("0", "500ms", "5s", "2m", "1h", "1.5s"):
        dry("in", "--dry-run", "--timeout", good, "x")
    for bad in ("0", "1025", "x", "-1", ""):
        usage("in", "--max", bad, "x")
    dry("in", "--dry-run", "--max", "1024", "x")
    usage("rd", "--after", "9007199254740992", "x")
    dry("rd", "--dry-run", "--after", "9007199254740991", "x")
    usage("in", "--json=nonsense", "x")
    usage("in", "--raw", "x", ":int")
    usage("in", "--named", "n:int")
    usage("in", "--json", "--named", ":int")
    usage("in", "--ids", "--cbor", "x")


def test_what_is_missing_or_too_much():
    for args in (("out",), ("in",), ("rm",), ("in", "--any", "x"), ("out", "--lines", "-"), ("out", "-0", "x"),
                 ("space", "create"), ("space", "create", "a", "b"), ("space", "drop"), ("space", "list", "x"),
                 ("space", "nonsense"), ("space", "drop", "x", "--volatile"), ("stats", "a", "b"),
                 ("version", "x"), ("pipe", "x"), ("relay", "x"), ("bench", "x"), ("bench", "-c", "0")):
        usage(*args)


def test_the_rows_of_the_man_page_are_those_of_the_table():
    page = open(os.path.join(harness.ROOT, "docs", "man", "tilia.1")).read()
    for line in run("help", "--words")[1].splitlines():
        name, *options = line.split()
        assert re.search(r"\b%s\b" % name, page), name
        if name not in ("run", "bench", "space"):
            for option in options:
                assert option == "--help" or " -" + option[2:] in page, (name, option)


def complete(*words):
    script = os.path.join(harness.ROOT, "tools", "tilia.bash")
    text = ". %s; COMP_WORDS=(%s); COMP_CWORD=%d; compopt() { :; }; _tilia; printf '%%s\\n' \"${COMPREPLY[@]}\"" % (
        script, " ".join("'%s'" % w for w in (harness.TILIA,) + words), len(words))
    return set(subprocess.run(["bash", "-c", text], stdout=subprocess.PIPE, check=True).stdout.decode().split())


def test_completion_knows_the_table():
    assert complete("") == set(COMMANDS)
    assert complete("rd") == {"rd", "rdp"}
    assert complete("help", "spa") == {"space"}
    assert complete("in", "--t") == {"--timeout"}
    assert {"--json", "--max", "--help"} <= complete("rdp", "--")
    assert complete("out", "--", "--") == set()


harness.main()
