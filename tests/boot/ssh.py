#!/usr/bin/python3
"""tilia run over ssh: login shells, banners, start-up files, and what goes wrong."""
import os
import pty
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import places
from places import check, equal, harness, run, script

MEET = """\
import tilia
space = tilia.space()
space.out("here", tilia.rank, tilia.host)
if tilia.rank == 0:
    print(sorted(space.in_("here", int, str)[1:] for _ in range(tilia.size)))
"""


def works(env, on="web1", **kw):
    p = run("--on", on, script(MEET), env=env, **kw)
    equal(p.returncode, 0, p.err)
    equal(p.out, "[(0, 'web1')]\n", p.err)
    return p


def fails(env, *words, on="web1", status=6):
    p = run("--on", on, "--connect-timeout", "8s", script("print('ran')"), env=env)
    equal((p.returncode, p.out), (status, ""), p.err)
    for word in words:
        check(word in p.err, "no", repr(word), "in", p.err)
    check("Traceback" not in p.err, p.err)
    return p


def test_login_shells():
    missing = []
    for shell in "sh", "bash", "zsh", "fish", "csh":
        try:
            path = places.find(shell)
        except harness.Skip:
            missing.append(shell)
            continue
        works(places.fake_ssh(shell=path))
    if missing:
        raise harness.Skip("the others do; not here: " + " ".join(missing))


def test_a_busybox_shell():
    try:
        path = places.find("busybox")
    except harness.Skip:
        raise harness.Skip("there is no busybox here")
    works(places.fake_ssh(shell=path + " sh"))


def test_banners_do_no_harm():
    works(places.fake_ssh(before="echo Welcome to the machine; printf 'no newline at the end'; echo err >&2"))
    works(places.fake_ssh(before="head -c 100000 /dev/zero | tr '\\0' x; echo; head -c 5000 /dev/urandom"))


def test_a_start_up_file_that_reads_a_bit_of_stdin():
    works(places.fake_ssh(before="dd bs=1 count=100 of=/dev/null 2>/dev/null & wait; sleep 0"), on="web1")


def test_a_start_up_file_that_reads_what_is_there():
    # All that comes within a moment is eaten; only waiting for the mark helps.
    works(places.fake_ssh(before="timeout 1 cat >/dev/null"))


def test_a_start_up_file_that_waits_for_stdin_for_ever():
    fails(places.fake_ssh(before="cat >/dev/null"), "web1: no sign of life", "start-up file")


def test_on_a_terminal_a_passphrase_may_take_its_time():
    log = os.path.join(places.folder(), "log")
    env = places.fake_ssh(before="echo asked >>%s; sleep 6" % log)
    pid, terminal = pty.fork()
    if pid == 0:
        words = places.argv("--on", "web1", script(MEET))
        os.execve(words[0], words, env)
    text = b""
    try:
        while b"'web1')]" not in text:
            text += os.read(terminal, 1000)
    except OSError:
        pass
    check(b"[(0, 'web1')]" in text, text)
    equal(os.waitpid(pid, 0)[1], 0)
    with open(log) as file:
        equal(file.read(), "asked\n")


def test_no_interpreter():
    path = places.path_with(("env", places.find("env")), ("sh", places.find("sh")))
    fails(places.fake_ssh(path=path), "no Python there", "python=")
    fails(places.fake_ssh(), "no Python there", on='web1,python="/nowhere/python3"')


def test_an_interpreter_that_is_too_old():
    path = places.path_with(("env", places.find("env")), ("python3", "#!/bin/sh\necho Python 3.5.9\n"),
                            ("python", "#!/bin/sh\necho Python 2.7.18 >&2\n"))
    fails(places.fake_ssh(path=path), "too old", "3.6 or later", "python3: Python 3.5.9", "Python 2.7.18")


def test_a_shim_without_an_interpreter_is_passed_over():
    path = places.path_with(("env", places.find("env")),
                            ("python3", "#!/bin/sh\necho 'pyenv: python3: command not found' >&2; exit 127\n"),
                            ("python3.10", "/usr/bin/python3"))
    works(places.fake_ssh(path=path))


def test_a_damaged_payload():
    # An ssh that loses some bytes on the way, every time.
    where = places.path_with(("ssh", """\
        #!/usr/bin/python3
        import os, subprocess, sys, threading
        p = subprocess.Popen(["/bin/sh", "-c", sys.argv[-1]], stdin=subprocess.PIPE)
        def copy():
            while True:
                data = os.read(0, 65536)
                if len(data) > 5000:
                    data = data[:100] + bytes(50) + data[150:]
                if not data:
                    break
                p.stdin.write(data)
                p.stdin.flush()
        threading.Thread(target=copy, daemon=True).start()
        status = p.wait()
        os._exit(status)
        """))
    env = places.environment(PATH=where + ":" + os.environ["PATH"])
    p = fails(env, "arrived damaged")
    check("no Python" not in p.err and "too old" not in p.err, p.err)


def test_a_refused_ssh():
    text = "echo 'bob@web1: Permission denied (publickey,password).' >&2; exit 255"
    fails(places.fake_ssh(before=text), "web1: ssh failed: ", "Permission denied (publickey,password)")
    fails(places.fake_ssh(before="exit 255"), "ssh -v")


def test_what_was_said_last_is_shown():
    text = "echo 'line one'; printf '%0300d' 7; echo 'This account is currently not available.'; exit 1"
    p = fails(places.fake_ssh(before=text), "status 1", "This account is currently not available.")
    check("line one" not in p.err, p.err)


def test_a_crowded_sshd_is_asked_again():
    where = places.folder()
    text = ("[ -e %s/third ] || { [ ! -e %s/second ] || touch %s/third; touch %s/second; "
            "echo 'kex_exchange_identification: Connection closed by remote host' >&2; exit 255; }"
            % ((where,) * 4))
    works(places.fake_ssh(before=text))


def test_one_place_of_several_that_fails():
    env = places.fake_ssh(before='case "$*" in *bad*) echo nope >&2; exit 255;; esac')
    p = run("--on", "web1 bad", script("print('ran')"), env=env)
    equal((p.returncode, p.out), (5, "[web1] ran\n"), p.err)
    check("bad: ssh failed: nope" in p.err, p.err)


def test_the_arguments_of_ssh():
    log = os.path.join(places.folder(), "log")
    env = places.fake_ssh(log=log)
    works(env, on="ssh:bob@gate,port=2200/node1:22/[::1],user=eve/web1,port=2222,identity=\"/k/my key\",user=al")
    with open(log) as file:
        words = file.read().split("\n")
    equal(words[words.index("-J") + 1], "bob@gate:2200,node1:22,eve@[::1]")
    for flag, value in ("-p", "2222"), ("-l", "al"), ("-i", "/k/my key"):
        equal(words[words.index(flag) + 1], value)
    equal(words[words.index("--") + 1], "web1")


def test_ranges_and_execnets_form():
    env = places.fake_ssh()
    p = run("--on", "node[08-10] popen//python=/usr/bin/python3 2*ssh=al@web1//id=x".replace("2*", ""),
            "--except", "node[09-09]", script("import tilia; print(tilia.host)"), env=env)
    equal(p.returncode, 0, p.err)
    equal(sorted(p.out.splitlines()), ["[%s] %s" % (h, h) for h in ("local", "node08", "node10", "web1")], p.err)


def test_a_real_sshd():
    env = places.sshd()
    works(env)
    p = run("--on", "2/local 2/web1 ssh:web2", script(MEET), env=env)
    equal(p.returncode, 0, p.err)
    equal(p.out, "[local 0] [(0, 'local'), (1, 'local'), (2, 'web1'), (3, 'web1'), (4, 'web2')]\n")


def test_own_modules_a_sum_and_a_failing_worker_over_a_real_sshd():
    where = places.folder()
    places.write("own.py", "def square(n):\n    return n * n\n", where)
    places.write("package/__init__.py", "from .part import double\n", where)
    places.write("package/part.py", "def double(n):\n    return 2 * n\n", where)
    path = places.write("main.py", """\
        import sys, tilia, own, package
        space = tilia.space()
        if tilia.rank == 0:
            for i in range(100):
                space.out("n", i)
            print("sum", sum(space.in_("r", int)[1] for i in range(100)))
            for i in range(3):
                space.out("n", -1)
        else:
            while True:
                n = space.in_("n", int)[1]
                if n < 0:
                    break
                space.out("r", package.double(own.square(n)))
        print("end on", tilia.host)
        sys.exit(7 if tilia.rank == 3 else 0)
        """, where)
    p = run("--on", "2/local 2/localhost", path, env=places.sshd())
    equal(p.returncode, 5, p.err)
    equal(sorted(p.out.splitlines()), sorted(["[local 0] sum %d" % sum(2 * n * n for n in range(100)),
          "[local 0] end on local", "[local 1] end on local", "[localhost 2] end on localhost",
          "[localhost 3] end on localhost"]))
    check("localhost 3: exit status 7" in p.err, p.err)


def test_a_real_proxy_jump():
    works(places.sshd(), on="ssh:gate/ssh:gate2/ssh:web1")


def test_twenty_places_behind_one_real_sshd():
    p = run("--on", "node[1-20]", script("print('here')"), env=places.sshd())
    equal(p.returncode, 0, p.err)
    equal(len(p.out.splitlines()), 20)


def test_a_host_that_is_not_there():
    env = places.sshd()
    p = run("--on", "web1,port=1", script("print('ran')"), env=env)
    equal((p.returncode, p.out), (6, ""), p.err)
    check("web1: ssh failed: " in p.err and "refused" in p.err, p.err)


if __name__ == "__main__":
    harness.main()
