#!/usr/bin/python3
"""out, in, rd and their like: what they print, take, leave, and how they end."""
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness  # noqa: E402
from cli import Cli  # noqa: E402

T = Cli()


def test_lines_come_out_in_order_and_a_third_take_waits():
    T.ok("out", "-", stdin=b'["job", 1]\n["job", 2]\n')
    assert T.ok("in", "job", ":int") == b'["job", 1]\n'
    assert T.ok("in", "job", ":int") == b'["job", 2]\n'
    third = T.start("in", "job", ":int")
    T.until_waiting(1)
    T.ok("out", "job", "3")
    assert third.communicate(timeout=20) == (b'["job", 3]\n', b"")
    assert third.returncode == 0


def test_nothing_there_is_status_1():
    assert T.run("inp", "nothing")[:2] == (1, b"")
    assert T.run("rdp", "nothing")[:2] == (1, b"")
    began = time.monotonic()
    assert T.run("in", "--timeout", "300ms", "nothing")[:2] == (1, b"")
    assert time.monotonic() - began >= 0.3
    assert T.run("rd", "--timeout", "0", "nothing")[:2] == (1, b"")


def test_reading_leaves_and_taking_takes():
    T.ok("out", "r", "1")
    assert T.ok("rd", "r", ":int") == T.ok("rdp", "r", ":int") == b'["r", 1]\n'
    assert T.ok("inp", "r", ":int") == b'["r", 1]\n'
    assert T.count("r", ":int") == 0


def test_words_are_typed_values():
    T.ok("out", "w", "1", "1.0", "-5", "true", "null", '"1"', "[1, 2]", '{"k": 1}', "text")
    assert T.ok("in", "w", ":int", ":float", ":int", ":bool", ":null", ":text", ":array", ":map", ":text") == \
        b'["w", 1, 1.0, -5, true, null, "1", [1, 2], {"k": 1}, "text"]\n'
    T.ok("out", "w", "1")
    assert T.run("inp", "w", "1.0")[0] == 1
    assert T.run("inp", "w", '"1"')[0] == 1
    assert T.ok("inp", "w", "1") == b'["w", 1]\n'


def test_diagnostic_notation_holds_what_words_cannot():
    T.ok("out", '["d", h\'00ff\', 1.5, NaN, undefined, 32("x"), {1: [simple(99)]}]')
    assert T.ok("in", '["d", ?bytes, ?number, ?float, ?undefined, ?tag, ?map]') == \
        b'["d", h\'00ff\', 1.5, NaN, undefined, 32("x"), {1: [simple(99)]}]\n'


def test_after_two_dashes_every_word_is_text():
    for name in ("-5", "--help", ":int", "[1]", "null", 'a "quote"', "new\nline", "-", "--", "b\\n"):
        T.ok("out", "file", "--", name)
        assert T.ok("in", "--json", "file", ":text") == json.dumps(["file", name]).encode() + b"\n", name
    T.ok("out", "--", "-0")
    assert T.ok("in", ":text") == b'["-0"]\n'


def test_output_forms():
    T.ok("out", '["f", 1, "two\\n", h\'03\', {"k": [null]}]')
    text = T.ok("rd", "f", "n:int", "t:text", ":bytes", ":map")
    assert text == b'["f", 1, "two\\n", h\'03\', {"k": [null]}]\n'
    words = ("f", "n:int", "t:text", "b:bytes", ":map")
    assert T.ok("rd", "-0", *words) == text[:-1] + b"\0"
    assert T.ok("rd", "--raw", "2", *words) == b"two\n\n"
    assert T.ok("rd", "--raw", "t", "-0", *words) == b"two\n\0"
    assert T.ok("rd", "--raw", "b", *words) == b"\x03\n"
    assert T.ok("rd", "--raw", "4", *words) == b'{"k": [null]}\n'
    assert T.ok("rd", "--cbor", *words) == bytes.fromhex("85616601647477 6f0a4103a1616b81f6")
    assert json.loads(T.ok("rd", "--json=lossy", *words))[:3] == ["f", 1, "two\n"]
    named = ("f", "n:int", "t:text", ":bytes", "m:map")
    assert json.loads(T.ok("rd", "--json", "--named", *named)) == {"n": 1, "t": "two\n", "m": {"k": [None]}}
    ident, rest = T.ok("rd", "--ids", *words).split(b"\t")
    assert int(ident) > 0 and rest == text
    assert "[3]" in T.refused(7, "rd", "--json", *words)
    assert "no field 9" in T.refused(7, "rd", "--raw", "9", *words)
    T.ok("rm", "f", ":any", ":any", ":any", ":any")


def test_what_cannot_be_printed_stays():
    T.ok("out", '["s", h\'00\']')
    T.refused(7, "in", "--json", "s", ":bytes")
    assert T.count("s", ":bytes") == 1
    with open("/dev/full", "wb") as full:
        p = T.start("in", "s", ":bytes", stdout=full)
        err = p.communicate(timeout=20)[1]
    assert p.returncode == 7 and b"No space left" in err, (p.returncode, err)
    assert T.count("s", ":bytes") == 1
    read, write = os.pipe()
    os.close(read)
    p = T.start("in", "s", ":bytes", stdout=write)
    os.close(write)
    p.communicate(timeout=20)
    assert p.returncode == 7
    assert T.ok("inp", "s", ":bytes") == b'["s", h\'00\']\n'


def test_an_undone_tuple_is_in_its_old_place():
    T.ok("out", "-", stdin=b'["o", 1]\n["o", 2]\n["o", 3]\n')
    with open("/dev/full", "wb") as full:
        assert T.start("in", "--max", "2", "o", ":int", stdout=full).wait(20) == 7
    assert T.ok("inp", "--max", "9", "o", ":int") == b'["o", 1]\n["o", 2]\n["o", 3]\n'


def test_max_and_after():
    T.ok("out", "-", stdin=b"".join(b'["m", %d]\n' % i for i in range(5)))
    rows = T.ok("rd", "--max", "3", "--ids", "m", ":int").decode().splitlines()
    assert [r.split("\t")[1] for r in rows] == ['["m", 0]', '["m", 1]', '["m", 2]']
    last = rows[-1].split("\t")[0]
    assert T.ok("rd", "--after", last, "m", ":int") == b'["m", 3]\n'
    assert T.ok("rm", "m", ":int") == b"5\n"


def test_ls_walks_all_pages_and_rm_takes_all():
    n = 3000
    T.ok("out", "-", stdin=b"".join(b'["p", %d]\n' % i for i in range(n)))
    assert T.ok("ls", "p", ":int") == b"".join(b'["p", %d]\n' % i for i in range(n))
    assert T.ok("ls", "-n", "1500", "p", ":int").count(b"\n") == 1500
    assert T.ok("ls", "no such") == b""
    assert T.count() == n
    assert T.ok("rm", "p", ":int") == b"3000\n"
    assert T.ok("rm", "p", ":int") == b"0\n"
    T.ok("out", "x")
    assert T.ok("rm", "--any") == b"1\n"


def test_spaces():
    T.ok("space", "create", "a b", "--volatile")
    T.ok("out", "--space", "a b", "x")
    assert T.count() == 0 and T.ok("count", "--space", "a b") == b"1\n"
    rows = {r["name"]: r for r in json.loads(T.ok("space", "list", "--json"))}
    assert rows["a b"]["tuples"] == 1 and rows["a b"]["volatile"] is True
    assert T.ok("space").startswith(b"main ")
    assert "exists" in T.refused(4, "space", "create", "a b")
    T.ok("space", "drop", "a b")
    assert "no such space" in T.refused(4, "out", "--space", "a b", "x")
    T.refused(4, "space", "drop", "main")


def test_a_space_is_made_and_altered():
    T.ok("space", "create", "made", "--shape", '["job", ?int, ?text]', "--tuples", "2", "--bytes", "1k")
    assert "field 1 is 17.0 (float), the space wants int" in T.refused(4, "out", "--space", "made", "job", "17.0", "a")
    T.ok("out", "--space", "made", "job", "1", "a")
    T.ok("out", "--space", "made", "job", "2", "a")
    assert "full" in T.refused(4, "out", "--space", "made", "job", "3", "a")
    line = [x for x in T.ok("space", "list").decode().splitlines() if x.startswith("made")][0]
    assert "2 of 2 tuples" in line and "of 1024 bytes" in line and 'shape ["job", ?int, ?text]' in line, line
    T.ok("space", "alter", "made", "--tuples", "0", "--shape", "null", "--tries", "3", "--dead", "grave")
    T.ok("out", "--space", "made", "anything")
    row = [r for r in json.loads(T.ok("space", "list", "--json")) if r["name"] == "made"][0]
    assert (row["tries"], row["dead"], row["shape"], row["max_tuples"], row["max_bytes"]) == (3, "grave", None, 0, 1024)
    T.ok("space", "drop", "made")


def test_a_spaces_options_are_checked():
    for words in (["create"], ["create", "s", "t"], ["drop", "s", "--tries", "1"], ["alter", "s", "--volatile"],
                  ["create", "s", "--tries", "256"], ["create", "s", "--bytes", "1x"], ["bury", "s"],
                  ["list", "s"], ["create", "s", "--shape", "[?in]"], ["create", "s", "--max", "1"],
                  ["nonsense"], ["create", "s", "--bytes", "9007199254740993"]):
        T.refused(2, "space", *words)


def test_bury_and_kick():
    T.ok("space", "create", "jobs", "--volatile")
    T.ok("out", "--space", "jobs", "-", stdin=b"".join(b'["j", %d]\n' % i for i in range(600)))
    assert T.ok("space", "bury", "jobs", "j", ":int", "--max", "300") == b"300\n"
    assert T.ok("count", "--space", "jobs.dead") == b"300\n"
    assert T.ok("space", "bury", "jobs", "j", "599") == b"1\n"
    assert T.ok("space", "kick", "jobs", "j", "599") == b"1\n"
    assert T.ok("space", "kick", "jobs", "--max", "7") == b"7\n"
    assert T.ok("space", "kick", "jobs") == b"293\n"
    assert T.ok("space", "kick", "jobs") == b"0\n"
    assert T.ok("count", "--space", "jobs") == b"600\n"
    T.refused(4, "space", "kick", "nowhere")
    T.ok("space", "drop", "jobs")
    T.ok("space", "drop", "jobs.dead")


def test_stats():
    assert b"\nversion " in b"\n" + T.ok("stats")
    assert json.loads(T.ok("stats", "--json"))["connections"] == 1
    assert json.loads(T.ok("stats", "--json", "spaces"))[0]["name"] == "main"
    T.refused(4, "stats", "nonsense")
    T.refused(2, "stats", "--waiting", "spaces")


def test_stats_say_why_nothing_matches():
    assert T.ok("stats", "--waiting") == b""
    T.ok("out", "job", "17.0")
    p = T.start("in", "job", ":int")
    while T.waiting() == 0:
        pass
    said = T.ok("stats", "--waiting").decode()
    assert said.startswith('in ["job", ?int] in main, for ') and 'by "tilia"' in said, said
    assert ' ["job", 17.0]: field 1 is 17.0 (float), the template wants int\n' in said, said
    entry, = json.loads(T.ok("stats", "--waiting", "--json=lossy"))
    assert entry["op"] == "in" and entry["mine"] is False and entry["near"][0][2] == 1, entry
    T.ok("out", "job", "1")
    assert p.wait(timeout=20) == 0
    T.ok("in", "job", ":float")


def test_no_server_says_how_to_start_one():
    where = os.path.join(harness.folder(), "no one's")
    status, out, err = T.run("out", "--connect", "unix:" + where, "x")
    assert (status, out) == (3, b""), (status, out, err)
    command = err.decode().split("start one with: ")[1].strip()
    assert command.endswith("&") and command.startswith("tiliad --listen ")
    started = subprocess.run(["sh", "-c", "printf '%s\\n' " + command[len("tiliad "):-1]],
                             stdout=subprocess.PIPE, check=True).stdout
    assert started.decode().splitlines() == ["--listen", "unix:" + where]


def test_an_empty_list_of_lines_puts_nothing():
    assert T.ok("out", "-") == b""
    assert T.ok("out", "--lines", "x") == b""
    assert T.count() == 0


harness.main()
