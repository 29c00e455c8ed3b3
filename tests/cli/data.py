#!/usr/bin/python3
"""tilia backup, restore, check, dump, load: what they say, and what they leave."""
import glob
import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness  # noqa: E402
from wire import ANY, Wire  # noqa: E402


class Store:
    """A store in a folder of its own, its server, and what is asked of both."""

    def __init__(self, serve=True):
        self.folder = tempfile.mkdtemp(dir=harness.folder())
        self.path = os.path.join(self.folder, "main.db")
        self.sock = os.path.join(self.folder, "s")
        self.server = None
        if serve:
            self.serve()

    def serve(self):
        self.server = harness.tiliad("--store", self.path, sock=self.sock)
        return self.server

    def stop(self):
        self.server.terminate()
        assert self.server.wait(60) == 0

    def kill(self):
        self.server.kill()
        self.server.wait(60)

    def wire(self):
        return Wire(self.server.address)

    def run(self, *args, stdin=""):
        """(status, stdout, stderr) of tilia, in the store's folder."""
        env = dict(os.environ, TILIA="unix:" + self.sock)
        p = subprocess.run([harness.TILIA, *args], cwd=self.folder, env=env, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, input=stdin, timeout=120, text=True)
        return p.returncode, p.stdout, p.stderr

    def ok(self, *args):
        status, out, err = self.run(*args)
        assert (status, err) == (0, ""), (args, status, out, err)
        return out

    def refused(self, status, *args):
        """stderr of what must fail so, with nothing on stdout."""
        got, out, err = self.run(*args)
        assert (got, out) == (status, ""), (args, got, out, err)
        return err

    def damaged(self, path="main.db"):
        """What check says of a store that is not sound."""
        status, out, err = self.run("check", "--store", path)
        assert (status, err) == (1, "") and "is damaged: " in out, (status, out, err)
        return out

    def files(self):
        return sorted(os.listdir(self.folder))

    def at(self, name):
        return os.path.join(self.folder, name)


def filled():
    """Spaces with options, tuples that are delayed, expire, are bound, claimed and taken, outcomes
    that are not acknowledged: a row of every kind. The wire is to be kept."""
    s = Store()
    w = s.wire()
    assert w.ask("hello", {"v": 1, "session": "new"})[0] == 0
    assert w.ask("space", "create", "jobs", {"tries": 3, "dead": "sick", "shape": ["job", ANY], "tuples": 99})[0] == 0
    assert w.ask("space", "create", "fleeting", {"volatile": True})[0] == 0
    assert w.ask("outs", "main", [["t", i, "x" * (i * 7 % 300)] for i in range(40)])[0] == 0
    assert w.ask("out", "main", ["later"], {"delay": 3600000})[0] == 0
    assert w.ask("out", "main", ["ends"], {"ttl": 3600000})[0] == 0
    assert w.ask("out", "main", ["bound"], {"bound": True})[0] == 0
    assert w.ask("outs", "jobs", [["job", i] for i in range(3)])[0] == 0
    assert w.ask("out", "fleeting", ["gone"])[0] == 0
    assert w.ask("in", "jobs", ["job", 0], {"lease": 3600000})[0] == 0
    assert w.ask("in", "main", ["t", 0, ""])[0] == 0
    return s, w


def test_check_says_what_is_there():
    s, _ = filled()
    out = s.ok("check", "--store", "main.db")
    assert out.startswith("main.db is sound: 46 tuples, 3 spaces, 1 session, batch "), out
    s.kill()
    before = {name: open(s.at(name), "rb").read() for name in s.files() if not name.endswith(("-shm", "s", ".log"))}
    assert s.ok("check", "--store", "main.db") == out
    for name, content in before.items():
        assert open(s.at(name), "rb").read() == content, name
    assert "No such file" in s.refused(7, "check", "--store", "other.db")
    open(s.at("other.db"), "w").close()
    assert "other.db is empty" in s.refused(7, "check", "--store", "other.db")
    sqlite3.connect(s.at("theirs.db")).executescript("CREATE TABLE t (x)")
    assert "not one of Tilia" in s.refused(7, "check", "--store", "theirs.db")


def test_a_missing_row_is_found_in_every_table():
    s, w = filled()
    s.ok("backup", "--store", "main.db", "good.db")
    for table, where, text in (
            ("meta", "key = 'ceiling'", "table meta, row 'ceiling': missing"),
            ("space", "name = 'fleeting'", "table space: not the rows that were written"),
            ("space", "name = 'jobs'", "its space"),
            ("session", "1", "table session: not the rows that were written"),
            ("session", "1", "its owner, session "),
            ("session", "1", "table outcome, row "),
            ("outcome", "1", "table outcome: not the rows that were written"),
            ("tuple", "id = (SELECT max(id) FROM tuple)", " rows instead of 3")):
        open(s.at("bad.db"), "wb").write(open(s.at("good.db"), "rb").read())
        with sqlite3.connect(s.at("bad.db")) as db:
            assert db.execute("DELETE FROM %s WHERE %s" % (table, where)).rowcount >= 1
        assert text in s.damaged("bad.db"), (table, s.damaged("bad.db"))
        assert "bad.db: " in s.refused(1, "backup", "--store", "bad.db", "copy.db")
        assert not os.path.exists(s.at("copy.db")) and not os.path.exists(s.at("copy.db.part"))
        assert "bad.db: " in s.refused(1, "restore", "--store", "new.db", "bad.db")
        assert not os.path.exists(s.at("new.db"))


def test_a_hundred_faults_are_told():
    for faults in 99, 100, 101:
        s = Store()
        w = s.wire()
        assert w.ask("outs", "main", [["t", i] for i in range(150)])[0] == 0
        s.ok("backup", "--store", "main.db", "bad.db")
        with sqlite3.connect(s.at("bad.db")) as db:
            db.execute("UPDATE tuple SET tries = 5 WHERE id < (SELECT min(id) FROM tuple) + ?", (faults,))
        lines = s.damaged("bad.db").splitlines()
        assert len(lines) == min(faults, 100) + 1
        assert lines[-1] == "bad.db is damaged: %d faults" % faults + \
            ", of which the first 100 are told" * (faults > 100), lines[-1]
        s.stop()


def cells(path, table):
    """The bytes of a table's cells: (offset in the file, length) of each page."""
    db = sqlite3.connect(path)
    size = db.execute("PRAGMA page_size").fetchone()[0]
    pages = [row[0] for row in db.execute("SELECT pageno FROM dbstat WHERE name = ? ORDER BY pageno", (table,))]
    db.close()
    data = open(path, "rb").read()
    for page in pages:
        at = (page - 1) * size
        kind, start = data[at], int.from_bytes(data[at + 5:at + 7], "big")
        start = start if kind in (2, 5, 10, 13) else 0  # else: a page of what did not fit, whole
        yield at + start, size - start


def test_a_flipped_bit_is_found_in_every_table():
    s, w = filled()
    s.ok("backup", "--store", "main.db", "good.db")
    s.kill()
    good = open(s.at("good.db"), "rb").read()
    for table in "meta", "space", "session", "outcome", "tuple":
        told = 0
        for at, length in cells(s.at("good.db"), table):
            for step in range(0, length, max(1, length // 40)):
                bad = bytearray(good)
                bad[at + step] ^= 1 << step % 8
                open(s.at("bad.db"), "wb").write(bad)
                status, out, _ = s.run("check", "--store", "bad.db")
                if status == 0:  # the type of a row's number, a 0, an empty blob or text: no value is another
                    assert {good[at + step], bad[at + step]} <= {0, 8, 12, 13}, (table, at, step)
                    continue
                assert status == 1 and ("SQLite: " in out or "table " in out), (table, at + step, out)
                told += 1
        assert told >= 20, (table, told)


def test_a_lock_file_that_knows_better_is_believed():
    s, w = filled()
    s.ok("backup", "--store", "main.db", "old.db")
    assert w.ask("out", "main", ["more"])[0] == 0
    s.stop()
    os.rename(s.at("old.db"), s.path)
    assert "it lost acknowledged work: batch " in s.damaged()
    other = Store()
    other.stop()
    os.rename(s.path + ".lock", s.at("theirs"))
    open(s.path + ".lock", "wb").write(open(other.path + ".lock", "rb").read())
    assert "belongs to another database" in s.damaged()
    open(s.path + ".lock", "w").write("nonsense")
    assert "the .lock file beside it is damaged" in s.damaged()
    os.unlink(s.path + ".lock")
    s.ok("check", "--store", "main.db")


def test_a_backup_is_the_store_at_one_instant():
    s, w = filled()
    told = s.ok("backup", "--store", "main.db", "copy.db")
    assert told.startswith("copy.db: 46 tuples, 3 spaces, 1 session, batch "), told
    assert stat.S_IMODE(os.stat(s.at("copy.db")).st_mode) == 0o600
    assert s.ok("dump", "--store", "copy.db") == s.ok("dump", "--store", "main.db")
    assert w.ask("out", "main", ["more"])[0] == 0
    assert "copy.db exists; --force replaces it" in s.refused(7, "backup", "--store", "main.db", "copy.db")
    s.ok("backup", "--store", "main.db", "--force", "copy.db")
    assert "more" in s.ok("dump", "--store", "copy.db")
    assert "is the store itself" in s.refused(7, "backup", "--store", "main.db", "--force", "main.db")
    assert "and no file" in s.refused(7, "backup", "--store", "main.db", "--force", ".")
    assert "no/copy.db.part: No such file" in s.refused(7, "backup", "--store", "main.db", "no/copy.db")
    s.kill()  # a log is left that the store needs
    s.ok("backup", "--store", "main.db", "after.db")
    assert s.ok("dump", "--store", "after.db") == s.ok("dump", "--store", "copy.db")
    assert not [name for name in s.files() if ".part" in name or name.startswith(("copy.db-", "after.db-"))], s.files()


def test_nothing_of_another_store_stands_beside_a_copy():
    """SQLite would take it for the copy's own log."""
    s, w = filled()
    s.ok("backup", "--store", "main.db", "copy.db")
    for ending in "-wal", "-journal", ".lock":
        open(s.at("copy.db" + ending), "w").close()
        open(s.at("other.db" + ending), "w").close()
        for name in "copy.db", "other.db":
            said = s.refused(7, "backup", "--store", "main.db", "--force", name)
            assert name + ending + " is there, of a store that was served" in said, said
            os.unlink(s.at(name + ending))
    s.kill()
    log = open(s.path + "-wal", "rb").read()
    assert log
    os.unlink(s.path)  # its log is left, and another one's journal
    open(s.path + "-journal", "wb").write(b"x" * 1000)
    open(s.at("main.db.part-journal"), "wb").write(b"x" * 1000)
    s.ok("restore", "--store", "main.db", "copy.db")
    assert open(s.path + ".old-1-wal", "rb").read() == log
    assert [name for name in s.files() if name.startswith(("main.db-", "main.db.part"))] == []
    assert s.ok("check", "--store", "main.db").startswith("main.db is sound: 45 tuples")


def test_restore_refuses_what_is_served_or_there():
    s, w = filled()
    s.ok("backup", "--store", "main.db", "copy.db")
    for force in (), ("--force",):
        assert "main.db is in use" in s.refused(7, "restore", "--store", "main.db", *force, "copy.db")
    assert w.ask("ping")[0] == 0
    s.stop()
    assert "main.db exists; --force" in s.refused(7, "restore", "--store", "main.db", "copy.db")
    assert "no.db: No such file" in s.refused(7, "restore", "--store", "main.db", "--force", "no.db")
    told = s.ok("restore", "--store", "main.db", "--force", "copy.db").splitlines()
    assert told == ["the old store is %s.old-1" % s.path, "main.db has the 46 tuples of copy.db"], told
    assert s.ok("check", "--store", "main.db.old-1").startswith("main.db.old-1 is sound")
    assert s.ok("restore", "--store", "main.db", "--force", "copy.db").startswith("the old store is %s.old-2" % s.path)
    assert s.ok("restore", "--store", "new.db", "copy.db") == "new.db has the 46 tuples of copy.db\n"
    assert s.ok("check", "--store", "new.db").startswith("new.db is sound: 45 tuples, 3 spaces, 0 sessions")


def test_a_second_server_is_refused():
    s = Store()
    other = harness.tiliad("--store", s.path, wait=None)
    log = other.communicate(timeout=60)[1].decode()
    assert other.returncode == 1 and "main.db is in use by another tiliad" in log, log
    s.stop()


def test_a_restored_store_knows_no_session_and_no_token():
    s, w = filled()
    session = w.ask("hello", {"v": 1})  # a second hello is refused, the session's id is told once
    assert session[0] != 0
    s.ok("backup", "--store", "main.db", "copy.db")
    first = s.wire()
    hello = first.ask("hello", {"v": 1, "session": "new"})
    claim = first.ask("in", "jobs", ["job", 1], {"lease": 3600000})
    newest = first.ask("out", "main", ["newest"])
    assert (hello[0], claim[0], newest[0]) == (0, 0, 0)
    token, last_id = claim[1][0][2], newest[1]
    s.stop()
    s.ok("restore", "--store", "main.db", "--force", "copy.db")
    s.serve()
    again = s.wire()
    assert again.ask("hello", {"v": 1, "session": hello[1]["session"]})[0] == -9  # session-over
    fresh = s.wire()
    assert fresh.ask("hello", {"v": 1, "session": "new"})[0] == 0
    refused = fresh.ask("commit", {"done": [token]})
    assert refused[0] == -12 and refused[2] == [token], refused
    assert fresh.ask("renew", [token], 1000)[0] == -12
    assert fresh.ask("out", "main", ["after"])[1] > last_id + (1 << 39)
    # what was claimed, taken and bound when the backup was made
    assert fresh.ask("count", "main", ["bound"]) == [0, 0]
    assert fresh.ask("in", "main", ["t", 0, ""], {"timeout": 0})[1]
    got = fresh.ask("in", "jobs", ["job", 0], {"timeout": 0, "lease": 60000})
    assert got[0] == 0 and got[1][0][3] == 2, got  # its second try
    assert fresh.ask("commit", {"done": [got[1][0][2]]})[0] == 0
    s.stop()
    s.ok("check", "--store", "main.db")


def test_a_restore_that_died_is_refused_by_the_server_and_goes_on():
    """In between, FILE.lock already says the new store's id."""
    s, w = filled()
    s.ok("backup", "--store", "main.db", "copy.db")
    s.stop()
    s.ok("restore", "--store", "main.db", "--force", "copy.db")
    os.rename(s.path, s.at("lost"))  # as if the last step had not been
    server = harness.tiliad("--store", s.path, wait=None)
    log = server.communicate(timeout=60)[1].decode()
    assert server.returncode == 1 and "it lost acknowledged work" in log, log
    s.ok("restore", "--store", "main.db", "copy.db")
    s.serve()
    s.stop()


def test_dump_is_a_line_a_tuple():
    s, w = filled()
    lines = [line.split("\t") for line in s.ok("dump", "--store", "main.db").splitlines()]
    assert lines[:3] == [["main", "space", "{}"],
                         ["jobs", "space", '{"dead": "sick", "shape": "[\\"job\\", ?]", "tries": 3, "tuples": 99}'],
                         ["fleeting", "space", '{"volatile": true}']], lines[:3]
    tuples = {line[3]: line for line in lines[3:]}
    assert len(tuples) == 46
    assert tuples['["t", 7, "%s"]' % ("x" * 49)][2] == "{}"
    assert tuples['["t", 0, ""]'][2] == '{"held": "take"}'
    assert tuples['["job", 0]'][2] == '{"held": "claim", "tries": 1}'
    assert tuples['["bound"]'][2] == '{"bound": true}'
    assert tuples['["later"]'][2].startswith('{"due": 1') and tuples['["ends"]'][2].startswith('{"expires": 1')
    ids = [int(line[1]) for line in lines[3:]]
    assert ids == sorted(set(ids))
    only = s.ok("dump", "--store", "main.db", "--space", "jobs").splitlines()
    assert [line.split("\t")[0] for line in only] == ["jobs"] * 4
    assert "no such space: jops" in s.refused(7, "dump", "--store", "main.db", "--space", "jops")


def test_a_reader_of_a_dump_may_leave():
    s = Store()
    assert s.wire().ask("outs", "main", [["t", i, "x" * 900] for i in range(900)])[0] == 0
    script = '"$0" dump --store main.db | head -n 2; echo ${PIPESTATUS[0]}'
    p = subprocess.run(["bash", "-c", script, harness.TILIA], cwd=s.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert p.stderr == b"" and p.stdout.splitlines()[2] == b"141", p
    with open("/dev/full", "w") as full:
        p = subprocess.run([harness.TILIA, "dump", "--store", s.path], stdout=full, stderr=subprocess.PIPE, text=True)
    assert p.returncode == 7 and "the output cannot be written" in p.stderr, p


def plain(dump):
    """A dump without what a load cannot keep: ids, tries, what is held; times to the second."""
    lines = []
    for line in dump.splitlines():
        row = line.split("\t")
        if row[1] != "space":
            options = {k: v for k, v in json.loads(row[2]).items() if k not in ("held", "tries")}
            if "bound" in options:
                continue
            row[1:3] = ["id", {k: v // 20000 for k, v in options.items()}]
        lines.append(row)
    return lines


def test_dump_and_load_give_the_same_tuples_times_and_options():
    s, w = filled()
    assert w.ask("space", "alter", "main", {"tries": 7})[0] == 0
    assert w.ask("outs", "main", [["text\twith\ntabs", "\u2603", b"\0\xff", 1.5, None, [1, {"k": -1}]]])[0] == 0
    for i in range(1500):  # several batches, spaces in turn
        w.send("out", ("main", "jobs")[i % 50 == 0], ["job", i + 10])
    for i in range(1500):
        assert w.receive()[1] == 0
    text = s.ok("dump", "--store", "main.db")
    open(s.at("dump.txt"), "w").write(text)
    t = Store()
    told = t.ok("load", s.at("dump.txt"))
    assert told == "1546 tuples put, 2 spaces made, 1 were bound to a session and are left out\n", told
    got, want = plain(t.ok("dump", "--store", "main.db")), plain(text)
    # A time may fall into the next 20 s.
    for a, b in zip(got, want):
        if a[1] == "id":
            assert a[2].keys() == b[2].keys() and all(abs(a[2][k] - b[2][k]) <= 1 for k in a[2]), (a, b)
            a[2] = b[2] = 0
    assert got == want
    t.stop()
    t.ok("check", "--store", "main.db")


def load(s, text, *args):
    return s.run("load", *args, stdin=text)


def test_load_names_the_wrong_line_and_says_what_it_did():
    good = 'main\t5\t{}\t["a", %d]\n'
    for wrong, why in (("nonsense", "not a line of tilia dump"), ("main\tx\t{}\t[1]", "stands the word space, or an id"),
                       ("main\t5\t[1]\t[1]", "not a map"), ('main\t5\t{"ttl": 5}\t[1]', "not known"),
                       ("main\t5\t{\t[1]", "cannot be read"), ("main\t5\t{}\t{}", "a tuple is [...]"),
                       ("main\t5\t{}\t[1", "^"), ("\t5\t{}\t[1]", "1 to 255 bytes"), ("main\t5\t{}", "or an id"),
                       ('main\tspace\t{"color": 1}', "not known")):
        s = Store()
        status, out, err = load(s, good % 1 + good % 2 + wrong + "\n" + good % 3)
        assert (status, out) == (2, "") and "line 3" in err and why in err, (wrong, err)
        assert err.endswith("2 tuples put, 0 spaces made\n"), err
        assert s.ok("count") == "2\n"
        s.stop()


def test_load_says_which_lines_the_server_refused():
    s = Store()
    assert s.wire().ask("space", "create", "narrow", {"shape": ["n", ANY]})[0] == 0
    status, out, err = load(s, 'narrow\t1\t{}\t["n", 1]\nnarrow\t2\t{}\t["m", 1]\n')
    assert (status, out) == (4, "") and "lines 1 to 2 were not put" in err, (status, err)
    assert s.ok("count", "-s", "narrow") == "0\n"
    status, out, err = load(s, 'none\t1\t{}\t["n", 1]\n')
    assert status == 4 and "no such space" in err, err


def test_load_leaves_what_has_expired_and_spaces_that_are_there():
    s = Store()
    assert s.wire().ask("space", "create", "there", {"tries": 2})[0] == 0
    text = 'there\tspace\t{"tries": 9}\nthere\t1\t{"expires": 5}\t["old"]\nthere\t2\t{"due": 5}\t["due"]\n'
    status, out, err = load(s, text)
    assert (status, err) == (0, "") and out == "1 tuples put, 0 spaces made, 1 had expired\n", (status, out, err)
    assert s.ok("dump", "--store", "main.db", "-s", "there").startswith('there\tspace\t{"tries": 2}\n')
    assert s.ok("rdp", "-s", "there", "due") == '["due"]\n'
    assert load(s, "")[:2] == (0, "0 tuples put, 0 spaces made\n")
    assert load(s, "", "-")[0] == 0 and load(s, "", "a", "b")[0] == 2 and load(s, "", "nofile")[0] == 7
    s.stop()
    assert load(s, "")[0] == 3


def test_a_store_of_each_version_opens():
    """tests/stores/N.db is of schema version N, N.txt what is in it."""
    kept = sorted(glob.glob(os.path.join(harness.ROOT, "tests", "stores", "*.db")))
    assert kept
    for path in kept:
        s = Store(serve=False)
        shutil.copy(path, s.path)
        s.serve()
        s.stop()
        assert s.ok("check", "--store", "main.db").startswith("main.db is sound")
        with open(path[:-3] + ".txt") as f:
            assert s.ok("dump", "--store", "main.db") == f.read(), path
        assert sqlite3.connect(s.path).execute("PRAGMA user_version").fetchone()[0] == len(kept)


def test_what_is_not_understood():
    s = Store(serve=False)
    for args in (("backup",), ("backup", "a", "b"), ("check", "x"), ("dump", "x"), ("restore",), ("check", "--force"),
                 ("check", "--store"), ("check", "--store", "")):
        assert s.refused(2, *args).startswith("tilia " + args[0] + ": "), args
    for args in (("backup",), ("check", "x"), ("check", "--nonsense"), ("dump", "--force"), ("backup", "a", "b")):
        p = subprocess.run([harness.TILIAD, *args], stderr=subprocess.PIPE, text=True)
        assert p.returncode == 2 and p.stderr.startswith("tiliad %s: usage: " % args[0]), p.stderr


def test_the_default_store_is_that_of_tiliad():
    s = Store()
    os.mkdir(s.at("tilia"))
    s.ok("backup", "--store", "main.db", "tilia/main.db")
    p = subprocess.run([harness.TILIA, "check"], env=dict(os.environ, XDG_STATE_HOME=s.folder),
                       stdout=subprocess.PIPE, text=True)
    assert p.returncode == 0 and p.stdout.startswith(s.at("tilia/main.db") + " is sound"), p.stdout
    s.stop()
    p = subprocess.run([harness.TILIA, "restore", s.at("tilia/main.db")],  # on a machine that has nothing yet
                       env=dict(os.environ, XDG_STATE_HOME=s.at("new/state")), stdout=subprocess.PIPE)
    assert p.returncode == 0 and os.path.exists(s.at("new/state/tilia/main.db"))
    assert stat.S_IMODE(os.stat(s.at("new/state/tilia")).st_mode) == 0o700


harness.main()
