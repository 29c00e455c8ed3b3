#!/usr/bin/python3
"""Claims from shell scripts: in --lease, commit, renew."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness  # noqa: E402
from cli import Cli  # noqa: E402

T = Cli()


def claim(*args):
    """[SESSION:TOKEN, what follows] of each line."""
    return [line.split("\t", 1) for line in T.ok("in", "--lease", *args).decode().splitlines()]


def test_done_with_outs():
    T.ok("out", "job", "1")
    (token, tuple_), = claim("30s", "job", ":int")
    assert tuple_ == '["job", 1]' and len(token.split(":")[0]) == 32, (token, tuple_)
    T.refused(1, "inp", "job", ":int")
    assert T.count("job", ":int") == 1
    T.ok("renew", token, "1m")
    T.ok("commit", "--out", '["done", 1]', "--out", '["log", 1]', token)
    assert T.count("job", ":int") == 0 and T.ok("in", "done", ":int") == b'["done", 1]\n'
    T.ok("in", "log", ":int")
    T.ok("commit", "--out", '["done", 1]', "--out", '["log", 1]', token)  # the same request again
    assert T.count() == 0
    assert "over" in T.refused(4, "renew", token, "1m")


def test_back_and_bury():
    T.ok("out", "job", "1")
    T.ok("out", "job", "2")
    claims = claim("30s", "--max", "5", "--raw", "1", "job", ":int")
    assert [c[1] for c in claims] == ["1", "2"], claims
    T.ok("commit", "--back", claims[0][0])
    assert T.ok("inp", "job", ":int") == b'["job", 1]\n'
    T.ok("commit", claims[1][0], "--bury")
    assert T.ok("in", "--space", "main.dead", "job", ":int") == b'["job", 2]\n'
    assert T.count() == 0


def test_over():
    T.ok("out", "job", "1")
    (token, _), = claim("100ms", "job", ":int")
    assert T.ok("in", "job", ":int") == b'["job", 1]\n'  # waits until the lease is over
    assert "over" in T.refused(4, "commit", "--out", '["done", 1]', token)
    assert T.count() == 0
    T.refused(1, "inp", "--lease", "1s", "job", ":int")


def test_a_renewed_claim_outlives_its_first_lease():
    T.ok("out", "job", "1")
    (token, _), = claim("1s", "job", ":int")
    T.ok("renew", token, "20s")
    T.refused(1, "in", "--timeout", "1500ms", "job", ":int")
    T.ok("commit", token)
    assert T.count() == 0


def test_what_cannot_be_printed_is_back():
    T.ok("out", "job", "1")
    with open("/dev/full", "wb") as full:
        status, _, err = T.run("in", "--lease", "1m", "job", ":int", stdout=full)
    assert status == 7 and b"back" in err, (status, err)
    assert T.ok("inp", "job", ":int") == b'["job", 1]\n'


def test_usage():
    key = "0" * 32
    for args in (("commit",), ("commit", "x"), ("commit", key), ("commit", key + ":"), ("commit", key + ":x"),
                 ("commit", key[1:] + ":5"), ("commit", "--back", "--bury", key + ":5"),
                 ("commit", key + ":5", key + ":6"), ("renew", key + ":5"), ("renew", key + ":5", "0"),
                 ("renew", key + ":5", "25h"), ("renew", key + ":5", "5"), ("in", "--lease", "0", "x"),
                 ("in", "--lease", "25h", "x"), ("rd", "--lease", "1s", "x")):
        T.refused(2, *args)
    T.refused(2, "commit", "--out", "[1", key + ":5")
    assert "over" in T.refused(4, "commit", key + ":5")


harness.main()
