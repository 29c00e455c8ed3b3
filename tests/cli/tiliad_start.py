"""How tiliad starts, refuses to start, and ends: exit codes, messages, sockets."""
import os
import re
import signal
import socket
import stat
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness
from wire import ANY, Wire


def run(*args, **env):
    """Runs tiliad to its end: (status, stdout, stderr)."""
    p = subprocess.run([harness.TILIAD, *args], capture_output=True, text=True, timeout=30,
                       env=dict(os.environ, **env), stdin=subprocess.DEVNULL)
    return p.returncode, p.stdout, p.stderr


def path(name):
    return os.path.join(harness.folder(), name)


def log_of(server):
    with open(server.sock + ".log") as f:
        return f.read()


def end(server, number=signal.SIGTERM):
    server.send_signal(number)
    return server.wait(20)


def test_help_and_version():
    status, out, err = run("--help")
    assert status == 0 and "--listen ADDR" in out and not err
    status, out, err = run("--version")
    assert status == 0 and re.fullmatch(r"tiliad \d+\.\d+\S*\n", out), out


def test_usage_errors_are_2_and_named():
    for args, text in ((["--nope"], "--nope"), (["--sync", "maybe"], "maybe"), (["word"], "word"),
                       (["--volatile", "--store", "x"], "one of them"),
                       (["--listen", "unix:relative"], "absolute")):
        status, out, err = run(*args)
        assert status == 2 and text in err and err.startswith("level=fatal "), (args, status, err)
    with open(path("conf"), "w") as f:
        f.write("sync full\n\nstorm x\n")
    status, out, err = run("--config", path("conf"))
    assert status == 2 and path("conf") + ":3: " in err and "storm" in err, err


def test_ready_line_names_address_and_store():
    server = harness.tiliad("--listen", "tcp:127.0.0.1:0")
    line = [x for x in log_of(server).splitlines() if "msg=ready" in x]
    assert len(line) == 1
    port = re.fullmatch(r"level=notice msg=ready listen=unix:%s,tcp:127\.0\.0\.1:(\d+) store=volatile"
                        % re.escape(server.sock), line[0]).group(1)
    assert Wire("tcp:127.0.0.1:" + port).ask("ping") == [0, None]
    assert stat.S_IMODE(os.stat(server.sock).st_mode) == 0o600
    assert end(server) == 0
    assert not os.path.exists(server.sock)
    assert "msg=stopped longest_turn_us=" in log_of(server)


def test_int_ends_it_like_term_and_hup_does_not():
    server = harness.tiliad()
    server.send_signal(signal.SIGHUP)
    assert Wire(server.address).ask("ping") == [0, None]
    assert end(server, signal.SIGINT) == 0


def test_not_loopback_is_refused_with_the_reason():
    for address in ("tcp:0.0.0.0:0", "tcp:[::]:0", "tcp:192.0.2.7:5463"):
        status, out, err = run("--volatile", "--listen", address)
        assert status == 1 and "loopback" in err and "TLS" in err, (address, err)


def test_a_second_server_is_refused():
    store = path("second.db")
    first = harness.tiliad("--store", store)
    status, out, err = run("--volatile", "--listen", first.address)
    assert status == 1 and "another server answers" in err, err
    status, out, err = run("--store", store, "--listen", "unix:" + path("second.sock"))
    assert status == 1 and store in err, err
    assert not os.path.exists(path("second.sock"))
    assert Wire(first.address).ask("ping") == [0, None]
    assert end(first) == 0


def test_a_dead_servers_socket_is_replaced():
    sock = path("dead.sock")
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(sock)
    dead.close()
    server = harness.start([harness.TILIAD, "--volatile", "--listen", "unix:" + sock],
                           stderr=subprocess.DEVNULL)

    def answers():
        try:
            return Wire("unix:" + sock).ask("ping") == [0, None]
        except (ConnectionRefusedError, FileNotFoundError):
            return False
    harness.until(answers, "the new server answers")
    assert end(server) == 0
    with open(sock, "w") as f:
        f.write("precious")
    status, out, err = run("--volatile", "--listen", "unix:" + sock)
    assert status == 1 and "not a socket" in err
    assert open(sock).read() == "precious"


def test_a_socket_somebody_else_put_there_stays():
    server = harness.tiliad()
    os.rename(server.sock, server.sock + ".old")
    other = socket.socket(socket.AF_UNIX)
    other.bind(server.sock)
    assert end(server) == 0
    assert os.path.exists(server.sock)


def test_defaults_are_made_and_owned():
    home = path("home")
    os.mkdir(home)
    run_dir = path("run")
    os.mkdir(run_dir)
    env = dict(os.environ, HOME=home, XDG_RUNTIME_DIR=run_dir)
    env.pop("XDG_STATE_HOME", None)
    server = harness.start([harness.TILIAD], env=env, stderr=subprocess.PIPE, text=True)
    sock = os.path.join(run_dir, "tilia.sock")
    harness.until(lambda: os.path.exists(sock) or server.poll() is not None, "ready", 30)
    folder = os.path.join(home, ".local", "state", "tilia")
    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
    assert Wire("unix:" + sock).ask("out", "main", ["kept"])[0] == 0
    assert end(server) == 0
    text = server.stderr.read()
    assert os.path.join(folder, "main.db") in text, text
    assert [f for f in os.listdir(run_dir)] == []
    again = harness.tiliad("--store", os.path.join(folder, "main.db"))
    assert Wire(again.address).ask("rd", "main", [ANY])[1][0][1] == ["kept"]
    assert end(again) == 0


def test_a_store_that_cannot_be_opened_is_1():
    status, out, err = run("--store", path("no/such/folder/x.db"), "--listen", "unix:" + path("x"))
    assert status == 1 and "no/such/folder" in err, err
    with open(path("text.db"), "w") as f:
        f.write("this is not a database, only text that somebody keeps " * 100)
    status, out, err = run("--store", path("text.db"), "--listen", "unix:" + path("x"))
    assert status == 1 and "text.db" in err, err


harness.main()
