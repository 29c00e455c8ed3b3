#!/usr/bin/python3
"""tilia lock: at most one at a time, whoever dies; and fencing for who does not notice."""
import os
import pty
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness  # noqa: E402
from cli import Cli  # noqa: E402
from wire import Wire  # noqa: E402

T = Cli("--grace", "1s")


def lock(*args, **kw):
    return T.run("lock", *args, **kw)


def alive(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def holder(name, *options, command="sleep 600", **kw):
    """A `tilia lock` whose command runs, and that command's pid."""
    path = os.path.join(harness.folder(), "pid")
    if os.path.exists(path):
        os.unlink(path)
    p = T.start("lock", *options, name, "--", "echo $$ > %s; %s" % (path, command), **kw)
    harness.until(lambda: os.path.exists(path) and open(path).read().endswith("\n"), "the command runs")
    return p, int(open(path).read())


def released(p):
    p.terminate()
    p.wait(20)


def test_the_exit_status_is_the_commands_own():
    assert lock("a", "--", "true", "x")[0] == 0
    assert lock("a", "--", "exit 7") == (7, b"", b"")
    assert lock("a", "--", "kill -9 $$")[0] == 128 + 9
    assert lock("a", "--", "cat", "-", stdin=b"hello")[:2] == (0, b"hello")
    assert lock("a", "--", "no-such-program", "x")[0] == 127
    assert lock("a", "--", "/", "x")[0] == 126
    assert T.ok("ls") == b'["lock", "a"]\n'
    T.ok("rm", "--any")


def test_one_at_a_time_and_tokens_rise():
    path = os.path.join(harness.folder(), "inside")
    command = "mkdir %s && echo $TILIA_TOKEN $TILIA_LOCK && sleep 0.02 && rmdir %s" % (path, path)
    all_of_them = [T.start("lock", "one", "--", command) for _ in range(12)]
    out = [p.communicate(timeout=60) for p in all_of_them]
    assert [p.returncode for p in all_of_them] == [0] * 12, out
    assert all(text.endswith(b" one\n") and not err for text, err in out), out
    assert len({int(text.split()[0]) for text, _ in out}) == 12
    first, second = (int(T.ok("lock", "one", "--", "echo $TILIA_TOKEN")) for _ in range(2))
    assert second > first > max(int(text.split()[0]) for text, _ in out)
    T.ok("rm", "--any")


def test_who_does_not_wait_is_told():
    p, _ = holder("held")
    began = time.monotonic()
    assert lock("-n", "held", "--", "true", "x") == (1, b"", b"")
    assert lock("-w", "0", "held", "--", "true", "x")[0] == 1
    assert lock("-w", "0.2s", "held", "--", "true", "x")[0] == 1
    assert lock("-w", "1", "held", "--", "true", "x")[0] == 1  # a second, as flock has it
    assert time.monotonic() - began >= 1.2
    assert lock("-n", "another", "--", "true", "x")[0] == 0
    released(p)
    assert p.returncode == 128 + signal.SIGTERM
    assert lock("-n", "held", "--", "true", "x")[0] == 0
    T.ok("rm", "--any")


def test_a_lock_in_another_space():
    T.ok("space", "create", "locks", "--volatile")
    assert T.ok("lock", "-s", "locks", "a", "--", "echo $TILIA_SPACE") == b"locks\n"
    assert T.count() == 0 and T.ok("count", "-s", "locks") == b"1\n"
    T.ok("space", "drop", "locks")
    assert lock("-s", "locks", "a", "--", "true", "x")[0] == 4


def test_it_is_renewed():
    p, _ = holder("long", "--lease", "1s")
    assert lock("-w", "3s", "long", "--", "true", "x")[0] == 1
    assert p.poll() is None
    released(p)
    T.ok("rm", "--any")


def test_a_killed_holder_gives_way_and_its_command_ends():
    p, command = holder("killed", "--lease", "1s")
    waiting = T.start("lock", "killed", "--", "echo next")
    p.kill()
    p.wait()
    harness.until(lambda: not alive(command), "the command is terminated")
    assert waiting.communicate(timeout=30) == (b"next\n", b"") and waiting.returncode == 0
    T.ok("rm", "--any")


def test_a_holder_that_slept_too_long_is_ended():
    p, command = holder("slept", "--lease", "1s")
    p.send_signal(signal.SIGSTOP)
    assert lock("slept", "--", "true", "x")[0] == 0
    p.send_signal(signal.SIGCONT)
    _, err = p.communicate(timeout=30)
    assert p.returncode == 8 and b"slept: the lock is lost" in err, (p.returncode, err)
    assert not alive(command)
    T.ok("rm", "--any")


def test_a_server_that_is_away_ends_the_command_before_the_lease():
    p, command = holder("away", "--lease", "2s", command="trap '' TERM; while :; do sleep 0.1; done")
    began = time.monotonic()
    T.server.send_signal(signal.SIGSTOP)
    harness.until(lambda: not alive(command), "the command is ended")
    took = time.monotonic() - began
    assert took < 2.3, took  # the lease began before the server stopped
    _, err = p.communicate(timeout=30)
    T.server.send_signal(signal.SIGCONT)
    assert p.returncode == 8 and b"could not be renewed" in err, (p.returncode, err)
    assert lock("away", "--", "true", "x")[0] == 0
    T.ok("rm", "--any")


def test_signals_reach_the_command():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        p, _ = holder("told", command="trap 'exit 9' INT TERM HUP; while :; do sleep 0.02; done")
        p.send_signal(number)
        assert p.wait(20) == 9
    p, command = holder("told", command="trap '' INT TERM HUP; while :; do sleep 0.02; done")
    for _ in range(3):
        time.sleep(0.05)  # or the kernel makes one of them
        p.terminate()
    assert p.wait(20) == 128 + signal.SIGKILL and not alive(command)
    T.ok("rm", "--any")


def test_who_waits_leaves_with_a_signal():
    p, _ = holder("busy")
    for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        waiting = T.start("lock", "busy", "--", "true")
        T.until_waiting(1)
        waiting.send_signal(number)
        assert waiting.communicate(timeout=20) == (b"", b"") and waiting.returncode == status, waiting.returncode
    released(p)
    T.ok("rm", "--any")


def test_a_restart_of_the_server_is_a_pause():
    store = os.path.join(harness.folder(), "lock.db")
    server = harness.tiliad("--store", store)
    env = dict(os.environ, TILIA=server.address)
    go = os.path.join(harness.folder(), "go")
    argv = [harness.TILIA, "lock", "kept", "--"]
    p = harness.start(argv + ["echo in; while ! test -e %s; do sleep 0.02; done; echo out" % go], env=env,
                      stdout=-1, stderr=-1)
    assert p.stdout.readline() == b"in\n"
    waiting = harness.start(argv + ["echo next"], env=env, stdout=-1, stderr=-1)
    w = Wire(server.address)
    harness.until(lambda: w.ask("stats")[1]["waiting"] == 1, "the other waits")
    w.close()
    server.kill()
    server.wait()
    server = harness.tiliad("--store", store, sock=server.sock)
    w = Wire(server.address)
    harness.until(lambda: w.ask("stats")[1]["waiting"] == 1, "the other waits again")
    w.close()
    assert waiting.poll() is None
    open(go, "w").close()
    assert p.communicate(timeout=30) == (b"out\n", b"") and p.returncode == 0
    assert waiting.communicate(timeout=30) == (b"next\n", b"") and waiting.returncode == 0
    server.terminate()
    server.wait()


def test_a_server_that_has_forgotten_it_ends_the_command():
    server = harness.tiliad()
    env = dict(os.environ, TILIA=server.address)
    argv = [harness.TILIA, "lock", "gone", "--"]
    p = harness.start(argv + ["echo in; exec sleep 600"], env=env, stdout=-1, stderr=-1)
    assert p.stdout.readline() == b"in\n"
    waiting = harness.start(argv + ["echo next"], env=env, stdout=-1, stderr=-1)
    w = Wire(server.address)
    harness.until(lambda: w.ask("stats")[1]["waiting"] == 1, "the other waits")
    w.close()
    server.kill()  # a volatile one
    server.wait()
    server = harness.tiliad(sock=server.sock)
    _, err = p.communicate(timeout=20)
    assert p.returncode == 8 and b"gone: the lock is lost" in err, (p.returncode, err)
    assert waiting.communicate(timeout=20) == (b"next\n", b"") and waiting.returncode == 0
    server.terminate()
    server.wait()


def test_a_bounded_wait_ends_without_a_server_too():
    server = harness.tiliad()
    env = dict(os.environ, TILIA=server.address)
    argv = [harness.TILIA, "lock", "-w", "1s", "held", "--"]
    p = harness.start(argv + ["echo in; exec sleep 600"], env=env, stdout=-1)
    p.stdout.readline()
    waiting = harness.start(argv + ["echo next"], env=env, stdout=-1, stderr=-1)
    w = Wire(server.address)
    harness.until(lambda: w.ask("stats")[1]["waiting"] == 1, "the other waits")
    w.close()
    server.kill()
    server.wait()
    out, err = waiting.communicate(timeout=20)
    assert (waiting.returncode, out) == (3, b"") and b"connection is broken" in err, (waiting.returncode, err)
    p.kill()


def on_a_terminal(command, keys):
    """What is shown, and the exit status, when it is typed to once it says `ready`."""
    pid, master = pty.fork()
    if pid == 0:
        os.execve(harness.TILIA, ["tilia", "lock", "tty", "--", command], T.env)
    shown, typed = b"", False
    try:
        while True:
            shown += os.read(master, 4096)
            if b"ready" in shown and not typed:
                typed = True
                os.write(master, keys)
    except OSError:
        pass
    os.close(master)
    return shown, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_on_a_terminal_the_command_may_read_and_be_interrupted():
    shown, status = on_a_terminal("echo ready; read a; echo got $a; exit 4", b"something\n")
    assert status == 4 and b"got something" in shown, (shown, status)
    shown, status = on_a_terminal("trap 'echo told; exit 5' INT; echo ready; while :; do sleep 0.05; done", b"\x03")
    assert status == 5 and shown.count(b"told") == 1, (shown, status)
    T.ok("rm", "--any")


def test_fencing_refuses_a_holder_whose_lease_ended():
    """The recipe: who writes says its token, and the store keeps the greatest it has seen. A holder that
    slept past its lease writes nothing any more, whether it knows or not."""
    T.ok("out", "store", "0", "")

    def write(token, text):
        """Takes what an older token than ours has written; nothing when a newer one was there."""
        status, out, _ = T.run("in", "--timeout", "0", "--lease", "10s", '["store", ?int ..%d, ?text]' % token)
        if status != 0:
            return False
        claim = out.split(b"\t")[0].decode()
        T.ok("commit", "--out", '["store", %d, "%s"]' % (token, text), claim)
        return True

    p, command = holder("store", "--lease", "1s", command="echo $TILIA_TOKEN; sleep 600")
    old = int(p.stdout.readline())
    assert write(old, "old")
    p.send_signal(signal.SIGSTOP)  # it does not know that its lease is over, and its command runs on
    new = int(T.ok("lock", "store", "--", "echo $TILIA_TOKEN"))
    assert alive(command) and new > old
    assert write(new, "new")
    assert not write(old, "late")
    p.send_signal(signal.SIGCONT)
    p.wait(20)
    assert T.ok("in", "store", ":int", ":text").decode() == '["store", %d, "new"]\n' % new
    T.ok("rm", "--any")


def test_usage():
    for args in ((), ("a",), ("a", "--"), ("--", "a", "true"), ("a", "true"), ("-w", "x", "a", "--", "true"),
                 ("-w", "-1", "a", "--", "true"), ("--lease", "999ms", "a", "--", "x"),
                 ("--lease", "25h", "a", "--", "x"),
                 (b"\xff", "--", "true")):
        T.refused(2, "lock", *args)


harness.main()
