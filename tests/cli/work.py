#!/usr/bin/python3
"""tilia work: a command for each tuple, exactly one result for each job."""
import json
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness  # noqa: E402
import tilia  # noqa: E402
from cli import Cli  # noqa: E402

T = Cli("--grace", "1s")
JOB = ("job", "n:int")


def work(*args, **kw):
    return T.run("work", *args, **kw)


def done(*args):
    """stdout of a worker that drains the space and had no trouble."""
    return T.ok("work", "--until-drained", *args).decode()


def put(*numbers):
    for n in numbers:
        T.ok("out", "job", str(n))


def texts(*template):
    return T.ok("ls", *template).decode().splitlines()


def clear(space="main"):
    T.ok("rm", "--space", space, "--any")


def clear_dead():
    T.run("rm", "--space", "main.dead", "--any")


def alive(pid):
    """Whether a process runs (a zombie does not)."""
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def pid_in(path):
    harness.until(lambda: os.path.exists(path) and open(path).read().endswith("\n"), path)
    return int(open(path).read())


def fresh(name):
    path = os.path.join(harness.folder(), name)
    if os.path.exists(path):
        os.unlink(path)
    return path


def test_each_job_has_one_result():
    put(1, 2, 3)
    assert done("--out", '["done", {n}, {stdout}, {status}]', *JOB, "--", "expr", "{n}", "+", "1") == ""
    assert texts() == ['["done", 1, "2", 0]', '["done", 2, "3", 0]', '["done", 3, "4", 0]'], texts()
    clear()


def test_several_results_and_another_space():
    T.ok("space", "create", "results")
    put(7)
    done("--out", "[{0}, {1}]", "--out", '["and", {n}]', "--out-space", "results", *JOB, "--", "true")
    assert T.ok("ls", "--space", "results") == b'["job", 7]\n["and", 7]\n'
    assert T.count() == 0
    T.ok("space", "drop", "results")


def test_arguments_are_no_shell():
    evil = "$(touch %s/pwned) `id` '; rm -rf \" \\ \n*" % harness.folder()
    T.ok("out", "job", "--", evil)
    assert done("job", "f:text", "--", "printf", "<%s>", "-n", "{f}", "{0}{f}") == "<-n><%s><job%s>" % (evil, evil)
    T.ok("out", "job", "--", evil)
    assert done("job", "f:text", "--", "printf '<%s>' {f} \"$TILIA_f\" | cat") == "<%s><%s>" % (evil, evil)
    assert not os.path.exists(os.path.join(harness.folder(), "pwned"))


def test_the_environment():
    T.ok("out", "job", "17", '{"a": [1]}')
    out = done("--lease", "1m", "job", "the-n:int", ":any", "--",
               'echo "$TILIA_the_n $TILIA_0 $TILIA_1 $TILIA_2 $TILIA_TRIES $TILIA_SPACE"; echo $TILIA_ID $TILIA_TOKEN')
    first, second = out.splitlines()
    assert first == '17 job 17 {"a": [1]} 1 main', first
    assert all(int(n) > 0 for n in second.split()), second


def test_the_tuple_on_stdin():
    T.ok("out", '["job", 1, {"k": "a\\nb"}, [1.5, null]]')
    assert json.loads(done("--stdin", "json", "job", ":int", ":map", ":any", "--", "cat", "-")) == [
        "job", 1, {"k": "a\nb"}, [1.5, None]]
    T.ok("out", "job", "2")
    assert T.ok("work", "--once", "--stdin", "cbor", *JOB, "--", "cat", "-") == b"\x82\x63job\x02"
    T.ok("out", '["job", h\'00ff\']')
    status, _, err = work("--once", "--stdin", "json", "job", ":bytes", "--", "cat", "-")
    assert status == 5 and b"JSON cannot hold it; buried" in err, err
    clear_dead()


def test_stdout_is_text_or_bytes():
    T.ok("out", "job", "1")
    done("--out", "[{stdout}]", *JOB, "--", "printf", "a\\n\\n")
    T.ok("out", "job", "1")
    done("--out", "[{stdout}]", *JOB, "--", "printf", "\\377\\n")
    T.ok("out", "job", "1")
    done("--out", "[{stdout}]", *JOB, "--", "true", "x")
    assert texts() == ['["a\\n"]', "[h'ff0a']", '[""]'], texts()
    clear()


def test_too_much_output_buries():
    put(1)
    status, _, err = work("--once", "--out", "[{stdout}]", *JOB, "--", "yes", "{n}")
    assert status == 5 and b"more than a tuple can hold; buried" in err, (status, err)
    assert T.count() == 0
    clear_dead()


def test_a_failed_job_is_given_back():
    put(1)
    for command, why in ((("sh", "-c", "exit 3"), "exit status 3"), (("kill -9 $$",), "ended by signal 9")):
        status, out, err = work("--once", "--back-delay", "1ms", "--out", '["done"]', *JOB, "--", *command)
        assert (status, out) == (5, b"") and ('tilia work: ["job", 1]: ' + why).encode() in err, (status, err)
        assert err.decode().strip().endswith("; given back"), err
        assert T.count("done") == 0 and T.count("job", ":int") == 1
    assert T.ok("in", "job", ":int") == b'["job", 1]\n'


def test_a_failed_job_waits_longer_each_time():
    put(1)
    log = fresh("log")
    status, _, err = work("--until-drained", "--back-delay", "100ms", "--back-max", "300ms", "--out", '["done", {n}]',
                          *JOB, "--", "date +%%s%%N >> %s; test $TILIA_TRIES -gt 4" % log)
    assert status == 5 and err.count(b"given back") == 4, (status, err)
    times = [int(line) / 1e9 for line in open(log)]
    waits = [b - a for a, b in zip(times, times[1:])]
    assert len(waits) == 4 and all(w > least for w, least in zip(waits, (.099, .199, .299, .299))), waits
    assert texts() == ['["done", 1]']
    clear()


def test_a_wrong_job_is_buried():
    put(1)
    status, _, err = work("--once", *JOB, "--", "exit 65")
    assert status == 5 and b"exit status 65; buried" in err, err
    put(2)
    status, _, err = work("--once", "--bury-on", "7", *JOB, "--", "exit 7")
    assert status == 5 and b"exit status 7; buried" in err, err
    assert T.ok("ls", "--space", "main.dead") == b'["job", 1]\n["job", 2]\n'
    assert T.count() == 0
    clear_dead()


def test_a_value_that_no_command_can_have_buries():
    T.ok("out", '["job", "a\\u0000b"]')
    status, _, err = work("--once", "job", "f:text", "--", "echo", "{f}")
    assert status == 5 and b"{f}: the value has a NUL" in err and b"buried" in err, err
    T.ok("out", '["job", "a\\u0000b"]')
    assert done("job", "f:text", "--", "echo ${TILIA_f-unset} $TILIA_0") == "unset job\n"
    T.ok("out", "-", stdin=b'["job", "%s"]' % (b"x" * 200000))
    status, _, err = work("--once", "job", "f:text", "--", "echo", "{f}")
    assert status == 5 and b"Argument list too long; buried" in err, err
    T.ok("out", "-", stdin=b'["job", "%s"]' % (b"x" * 200000))
    assert done("job", "f:text", "--", "echo ${TILIA_f-unset}") == "unset\n"
    clear_dead()


def test_a_program_that_is_not_there_takes_no_job():
    put(1)
    assert "no such program" in T.refused(2, "work", *JOB, "--", "no-such-program", "{n}")
    assert T.ok("inp", "job", ":int") == b'["job", 1]\n'
    put(1)
    status, _, err = work(*JOB, "--", "./{n}", "x")
    assert status == 7 and b"No such file or directory; given back" in err, (status, err)
    clear()


def test_a_lease_is_renewed_while_the_command_runs():
    put(1)
    path, go = fresh("pid"), fresh("go")
    w = T.start("work", "--once", "--lease", "300ms", "--out", '["done", {n}]', *JOB, "--",
                "echo $$ > %s; while ! test -e %s; do sleep 0.05; done" % (path, go))
    pid_in(path)
    T.refused(1, "in", "--timeout", "1500ms", "job", ":int")
    open(go, "w").close()
    assert w.wait(20) == 0 and texts() == ['["done", 1]'], (w.stderr.read(), texts())
    clear()


def test_a_lost_claim_terminates_the_command():
    put(1)
    path = fresh("pid")
    w = T.start("work", "--once", "--lease", "400ms", "--out", '["done", {n}]', *JOB, "--",
                "sleep 600 & echo $! > %s; wait" % path)
    sleeper = pid_in(path)
    w.send_signal(signal.SIGSTOP)  # longer than the lease
    assert T.ok("in", "job", ":int") == b'["job", 1]\n'
    w.send_signal(signal.SIGCONT)
    _, err = w.communicate(timeout=20)
    assert w.returncode == 5 and b"claim is over; its command is terminated" in err, (w.returncode, err)
    assert not alive(sleeper) and T.count() == 0


def test_a_timeout_terminates_the_command():
    put(1)
    path = fresh("pid")
    status, _, err = work("--once", "--timeout", "300ms", "--back-delay", "0", *JOB, "--",
                          "sleep 600 & echo $! > %s; wait" % path)
    assert status == 5 and b"longer than --timeout; given back" in err, (status, err)
    assert not alive(pid_in(path))
    clear()


def test_a_killed_worker_leaves_no_command():
    T.ok("space", "create", "long")
    T.ok("out", "--space", "long", "job", "1")
    path = fresh("pid")
    w = T.start("work", "--space", "long", "--lease", "10m", *JOB, "--", "sleep 600 & echo $! > %s; wait" % path)
    sleeper = pid_in(path)
    w.kill()
    w.wait()
    harness.until(lambda: not alive(sleeper), "the command is terminated")
    T.ok("space", "drop", "long")


def test_the_sessions_grace_gives_the_job_of_a_killed_worker_back():
    put(1)
    path = fresh("pid")
    w = T.start("work", "--lease", "1s", *JOB, "--", "echo $$ > %s; exec sleep 600" % path)
    pid_in(path)
    w.kill()
    w.wait()
    assert T.ok("work", "--once", "--out", '["done", {n}]', *JOB, "--", "echo $TILIA_TRIES") == b"2\n"
    assert texts() == ['["done", 1]']
    clear()


def test_the_first_signal_drains():
    for number, expected in ((signal.SIGTERM, 0), (signal.SIGINT, 130)):
        put(1, 2)
        path, go = fresh("pid"), fresh("go")
        w = T.start("work", "--out", '["done", {n}]', *JOB, "--",
                    "echo $$ > %s; while ! test -e %s; do sleep 0.02; done" % (path, go))
        pid_in(path)
        w.send_signal(number)
        assert b"no more jobs are claimed; waiting for 1" in w.stderr.readline()
        open(go, "w").close()
        assert w.wait(20) == expected, w.returncode
        assert texts() == ['["job", 2]', '["done", 1]'], texts()
        clear()


def test_an_idle_worker_leaves_at_once():
    for number, expected in ((signal.SIGTERM, 0), (signal.SIGINT, 130), (signal.SIGHUP, 0)):
        w = T.start("work", *JOB, "--", "true")
        T.until_waiting(1)
        w.send_signal(number)
        out, err = w.communicate(timeout=20)
        assert (w.returncode, out, err) == (expected, b"", b""), (w.returncode, err)


def test_the_second_signal_terminates_and_gives_back():
    put(1)
    path = fresh("pid")
    w = T.start("work", "--lease", "10m", *JOB, "--", "sleep 600 & echo $! > %s; wait" % path)
    sleeper = pid_in(path)
    w.terminate()
    w.stderr.readline()
    w.terminate()
    assert w.wait(20) == 5
    assert not alive(sleeper)
    harness.until(lambda: T.run("inp", "job", ":int")[0] == 0, "the job is back")


def test_what_ignores_term_is_killed():
    put(1)
    path = fresh("pid")
    w = T.start("work", "--lease", "10m", *JOB, "--",
                "trap '' TERM; echo $$ > %s; while :; do sleep 0.1; done" % path)
    shell = pid_in(path)
    w.terminate()
    w.stderr.readline()
    w.terminate()
    w.terminate()  # the third does not wait
    w.terminate()
    assert w.wait(20) == 5 and not alive(shell)
    clear()


def test_lines_of_several_commands_are_not_mixed():
    put(*range(24))
    out = done("-j", "8", *JOB, "--",
               "for i in 1 2 3 4 5; do printf '%s' {n}; printf ' and '; echo {n}; done; printf 'last %s' {n}")
    lines = out.splitlines()
    assert len(lines) == 24 * 6, len(lines)
    assert sorted(set(lines)) == sorted({"%d and %d" % (n, n) for n in range(24)} | {"last %d" % n for n in range(24)})


def test_so_many_at_once():
    put(*range(6))
    path = fresh("running")
    os.mkdir(path)
    w = T.start("work", "-j", "3", "--max-jobs", "5", *JOB, "--",
                "touch %s/{n}; while test -e %s/{n}; do sleep 0.02; done" % (path, path))
    harness.until(lambda: len(os.listdir(path)) == 3, "three run")
    time.sleep(0.1)
    assert sorted(os.listdir(path)) == ["0", "1", "2"]
    os.unlink(path + "/1")
    harness.until(lambda: sorted(os.listdir(path)) == ["0", "2", "3"], "the next one runs")
    while w.poll() is None:
        for name in os.listdir(path):
            os.unlink(os.path.join(path, name))
        time.sleep(0.01)
    assert w.returncode == 0 and texts() == ['["job", 5]'], texts()
    os.rmdir(path)
    clear()


def test_a_bounded_wait():
    status, out, err = work("--once", "--wait", "50ms", *JOB, "--", "true")
    assert (status, out, err) == (1, b"", b"")
    status, _, _ = work("--once", "--wait", "0", *JOB, "--", "true")
    assert status == 1
    put(1)
    assert T.ok("work", "--wait", "100ms", *JOB, "--", "echo", "{n}") == b"1\n"


def test_until_drained_waits_for_what_others_have_claimed():
    put(1)
    token = T.ok("in", "--lease", "1m", "job", ":int").decode().split("\t")[0]
    w = T.start("work", "--until-drained", *JOB, "--", "true")
    T.until_waiting(1)
    T.ok("commit", "--back", token)
    assert w.wait(20) == 0 and T.count() == 0
    assert done(*JOB, "--", "true") == ""


def test_a_result_that_is_not_valid_buries():
    tilia.space("shaped", T.server.address).create(shape=("done", str))
    put(1, 2)
    status, _, err = work("--max-jobs", "2", "--out", '["done", {status}]', "--out-space", "shaped", *JOB, "--", "true")
    assert status == 5 and err.count(b"field 1 is 0 (int)") == 2 and err.count(b"buried") == 2, (status, err)
    assert T.ok("ls", "--space", "main.dead") == b'["job", 1]\n["job", 2]\n' and T.count() == 0
    T.ok("space", "drop", "shaped")
    clear_dead()


def test_a_result_that_has_no_place_ends_the_worker():
    put(1, 2)
    status, _, err = work("--out", '["done", {stdout}]', "--out-space", "nowhere", *JOB, "--", "true")
    assert status == 4 and b"no such space" in err and b"buried" not in err, (status, err)
    harness.until(lambda: T.count() == len(texts()) == 2, "both are back")
    clear()


def test_a_command_has_no_descriptor_but_its_own():
    for jobs in "1", "2":
        put(1)
        out = T.ok("work", "--once", "-j", jobs, *JOB, "--", "ls", "/proc/self/fd").decode().split()
        assert out == ["0", "1", "2", "3"], out  # 3: the folder


def test_a_restart_of_the_server_is_a_pause():
    store = os.path.join(harness.folder(), "restart.db")
    server = harness.tiliad("--store", store)
    env = dict(os.environ, TILIA=server.address)

    def tilia(*args, **kw):
        return harness.start([harness.TILIA, *args], env=env, **kw)

    assert tilia("out", "job", "1").wait(20) == 0
    path, go = fresh("pid"), fresh("go")
    w = tilia("work", "--max-jobs", "2", "--out", '["done", {n}, {stdout}]', *JOB, "--",
              "echo $$ > %s; while ! test -e %s; do sleep 0.02; done; echo $TILIA_TRIES" % (path, go))
    pid_in(path)
    server.kill()
    server.wait()
    open(go, "w").close()
    time.sleep(0.2)
    server = harness.tiliad("--store", store, sock=server.sock)
    assert tilia("out", "job", "2").wait(20) == 0
    assert w.wait(30) == 0
    p = tilia("ls", stdout=-1)
    assert p.communicate(timeout=20)[0] == b'["done", 1, "1"]\n["done", 2, "1"]\n'
    server.terminate()
    server.wait()


def test_who_leaves_without_a_server_is_told_what_waits():
    server = harness.tiliad()
    env = dict(os.environ, TILIA=server.address)
    path, go = fresh("pid"), fresh("go")
    assert harness.start([harness.TILIA, "out", "job", "1"], env=env).wait(20) == 0
    w = harness.start([harness.TILIA, "work", *JOB, "--",
                       "echo $$ > %s; while ! test -e %s; do sleep 0.02; done" % (path, go)], env=env, stderr=-1)
    command = pid_in(path)
    server.kill()
    server.wait()
    open(go, "w").close()
    harness.until(lambda: not alive(command), "the command has ended")
    assert b"connection is broken" in w.stderr.readline()
    w.terminate()
    assert b"waits for the server" in w.stderr.readline()
    w.terminate()
    assert w.wait(20) in (0, 5)


def test_a_session_that_is_over_is_followed_by_another():
    server = harness.tiliad()
    env = dict(os.environ, TILIA=server.address)
    path = fresh("pid")

    def tilia(*args):
        return harness.start([harness.TILIA, *args], env=env, stdout=-1, stderr=-1)

    assert tilia("out", "job", "1").wait(20) == 0
    w = tilia("work", "--max-jobs", "2", *JOB, "--", "echo $$ > %s; test {n} = 2 || exec sleep 600" % path)
    sleeper = pid_in(path)
    server.kill()  # a volatile one: with it its sessions are gone
    server.wait()
    server = harness.tiliad(sock=server.sock)
    assert tilia("out", "job", "2").wait(20) == 0
    _, err = w.communicate(timeout=30)
    assert w.returncode == 5 and b"claim is over" in err, (w.returncode, err)
    assert not alive(sleeper)
    server.terminate()
    server.wait()


def test_a_worker_whose_output_nobody_reads_leaves():
    for jobs in "1", "3":
        put(*range(100))
        w = T.start("work", "-j", jobs, *JOB, "--", "echo", "{n}")
        w.stdout.readline()
        w.stdout.close()
        assert w.wait(20) in (7, 5), w.returncode
        assert T.count() > 0
        harness.until(lambda: T.count() == len(texts()), "nothing is claimed")
        clear()


def test_on_a_terminal_it_says_how_it_goes():
    put(1, 2, 3)
    master, slave = os.openpty()
    w = T.start("work", "--until-drained", "-j", "2", *JOB, "--", "echo {n}; echo x{n} >&2", stderr=slave)
    os.close(slave)
    assert w.wait(20) == 0
    said = b""
    try:
        while True:
            said += os.read(master, 4096)
    except OSError:
        pass
    os.close(master)
    assert sorted(w.stdout.read().split()) == [b"1", b"2", b"3"]
    assert b"running" in said and said.endswith(b"tilia work: 3 done, 0 given back, 0 buried, 0 lost\r\n"), said
    assert all(b"x%d\r\n" % n in said for n in (1, 2, 3)), said


def test_usage():
    for args in ((), ("job",), ("job", "--"), ("--", "true"), ("--any", "job", "--", "true"),
                 ("-j", "0", "job", "--", "x"),
                 ("-j", "1025", "job", "--", "x"), ("--lease", "99ms", "job", "--", "x"),
                 ("--lease", "25h", "job", "--", "x"), ("--bury-on", "256", "job", "--", "x"),
                 ("--stdin", "xml", "job", "--", "x"), ("--max-jobs", "0", "job", "--", "x"),
                 ("job", "n:int", "--", "echo", "{m}"), ("job", "n:int", "--", "echo '{n}'"),
                 ("job", "n:int", "--", "echo", "{2}"), ("--out", "[{m}]", "job", "--", "x"),
                 ("--out", "[1", "job", "--", "x"), ("--out", '["{n}"]', "job", "n:int", "--", "x")):
        T.refused(2, "work", *args)


harness.main()
