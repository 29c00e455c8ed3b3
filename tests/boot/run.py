#!/usr/bin/python3
"""tilia run at local places: what a script sees, what it may import, how it ends."""
import glob
import os
import resource
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import places
from places import check, equal, harness, run, script


def test_a_script_knows_where_it_is():
    p = run("-e", "A=1=2", "--env", "HERE", "--on", "2/local local", script("""\
        import sys, os, tilia
        print(tilia.rank, tilia.size, tilia.host, tilia.place, len(tilia.run), sys.argv[1:],
              os.environ["A"], os.environ.get("HERE"), __name__, os.path.basename(__file__),
              os.path.basename(sys.argv[0]), sys.stdin.read() == "")
        """), "--on", "x y", "é", env=places.environment(HERE="yes"))
    equal(p.returncode, 0, p.err)
    want = ["[local %d] %d 3 local local 16 ['--on', 'x y', 'é'] 1=2 yes __main__ script.py script.py True"
            % (i, i) for i in range(3)]
    equal(sorted(p.out.splitlines()), want)


def test_arguments_that_are_no_text_arrive():
    p = run(b"--on".decode(), "local", script("import sys, os; print(os.fsencode(sys.argv[1]))"),
            os.fsdecode(b"\xff\x00"[:1]))
    equal(p.out, "b'\\xff'\n", p.err)


def test_workers_meet_in_the_space():
    server = harness.tiliad()
    p = run("--connect", server.address, "--on", "3/local 2/local", script("""\
        import tilia
        space = tilia.space()
        if tilia.rank == 0:
            for i in range(100):
                space.out("job", i)
            total = sum(space.in_("sum", int)[1] for _ in range(tilia.size - 1))
            print("total", total)
        else:
            mine = 0
            for _ in range(25):
                mine += space.in_("job", int)[1]
            space.out("sum", mine)
        """))
    equal(p.returncode, 0, p.err)
    equal(p.out, "[local 0] total %d\n" % sum(range(100)))
    equal(p.err, "")


def test_a_worker_watches_the_space():
    server = harness.tiliad()
    p = run("--connect", server.address, "--on", "2/local", script("""\
        import tilia
        space = tilia.space()
        if tilia.rank == 0:
            watch = space.watch("n", int)
            space.stats()
            space.out("go")
            for event in watch:
                print(event.kind, *event.tuple)
                if event.tuple == ("n", 2):
                    break
        else:
            space.in_("go")
            for n in range(3):
                space.out("n", n)
                space.in_("n", n)
        """))
    equal(p.returncode, 0, p.err)
    equal(p.out, "".join("[local 0] %s\n" % line for line in
                         ("put n 0", "take n 0", "put n 1", "take n 1", "put n 2")))


def memory(pid):
    with open("/proc/%d/status" % pid) as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def test_a_worker_that_watches_and_does_not_read_holds_nobody_up():
    server = harness.tiliad()
    fifo = os.path.join(places.folder(), "fifo")
    os.mkfifo(fifo)
    p = places.begin("--connect", server.address, "-e", "FIFO=" + fifo, "--on", "2/local", script("""\
        import os, tilia
        space = tilia.space()
        if tilia.rank == 0:
            watch = space.watch()
            space.stats()
            space.out("go")
            open(os.environ["FIFO"]).read()  # and so long it reads nothing of what it is told
            kinds = []
            for event in watch:
                kinds.append(event.kind)
                if event.kind == "gap":
                    space.out("end")
                if event.tuple == ("end",):
                    break
            print("gap" in kinds, len(kinds) < 15000)
        else:
            space.in_("go")
            print("begin", flush=True)
            space.in_("go on")
            for n in range(200):
                space.outs([(n, "x" * 1000)] * 100)  # 20 MB in all
            print("flooded", flush=True)
        """))
    equal(p.stdout.readline(), b"[local 1] begin\n")
    before = memory(p.pid)
    subprocess.run([harness.TILIA, "out", "go on"], env=places.environment(TILIA=server.address), check=True)
    equal(p.stdout.readline(), b"[local 1] flooded\n")
    grown = memory(p.pid) - before
    with open(fifo, "w"):
        pass
    out, err = p.communicate(timeout=60)
    equal((p.returncode, out), (0, b"[local 0] True True\n"), err)
    check(grown < 8000, grown, "KiB")


def test_a_private_server_goes_with_the_run():
    env = places.environment()
    p = run("--on", "2/local", script("""\
        import tilia
        space = tilia.space()
        space.out("x", tilia.rank)
        space.in_("x", 1 - tilia.rank)
        """), env=env)
    equal(p.returncode, 0, p.err)
    check("private" in p.err, p.err)
    equal(os.listdir(env["XDG_RUNTIME_DIR"]), [])


def test_without_the_server_that_was_named_nothing_is_run():
    p = run("--connect", "unix:/nowhere/s", "--on", "local", script("print('ran')"), timeout=30)
    equal(p.returncode, 3, p.out, p.err)
    check("server" in p.err, p.err)


def test_exit_status_of_one_place_is_the_scripts():
    for status, want in ((0, 0), (1, 1), (7, 7), (97, 97), (255, 255)):
        p = run("--on", "local", script("import sys; sys.exit(%d)" % status))
        equal(p.returncode, want, p.err)
    p = run("--on", "local", script("import sys; sys.exit('a reason')"))
    equal(p.returncode, 1)
    check("a reason\n" in p.err, p.err)
    p = run("--on", "local", script("import os; os.kill(os.getpid(), 9)"))
    equal(p.returncode, 137, p.err)


def test_exit_status_of_several_places_is_5():
    text = "import tilia, sys; sys.exit(3 if tilia.rank == 1 else 0)"
    p = run("--on", "local local local", script(text))
    equal(p.returncode, 5, p.err)
    check("local 1: exit status 3" in p.err, p.err)
    p = run("--on", "3/local", script(text))
    equal(p.returncode, 3, p.err)
    p = run("--on", "2/local", script("import os, tilia; tilia.rank and os.kill(os.getpid(), 15)"))
    equal(p.returncode, 143, p.err)
    check("local 1: ended by signal 15" in p.err, p.err)


def test_atexit_threads_and_buffers_end_as_in_python():
    p = run("--on", "local", script("""\
        import atexit, sys, threading, time
        atexit.register(print, "atexit")
        def late():
            time.sleep(0.2)
            print("thread")
        threading.Thread(target=late).start()
        sys.stdout.write("no newline")
        """))
    equal(p.out, "no newlinethread\natexit\n", p.err)


def project():
    where = places.folder()
    places.write("own.py", "import os\n\n\n\ndef fail():\n    raise KeyError('here')\n", where)
    places.write("package/__init__.py", "from . import inner\nNAME = __name__\n", where)
    places.write("package/inner.py", "def add(a, b):\n    return a + b\n", where)
    places.write("package/deep/__init__.py", "", where)
    places.write("package/deep/er.py", "from ..inner import add\n", where)
    places.write("package/data.txt", "some data\n", where)
    places.write("package/large.bin", b"x" * 300000, where)
    places.write("names/space.py", "HERE = 'namespace'\n", where)
    places.write("json.py", "MINE = True\n", where)
    places.write("textwrap/README", "no Python in here\n", where)
    places.write("fast.cpython-311-x86_64-linux-gnu.so", b"\x7fELF", where)
    return where


def test_modules_and_packages_are_imported_from_the_scripts_folder():
    where = project()
    path = places.write("main.py", """\
        import json, own, package, pkgutil, textwrap
        import package.deep.er
        import names.space
        print(json.MINE, package.inner.add(1, 2), package.NAME, package.deep.er.add("a", "b"))
        print(pkgutil.get_data("package", "data.txt"), len(pkgutil.get_data("package", "large.bin")))
        print(names.space.HERE, textwrap.dedent("  x"), own.__file__)
        """, where)
    p = run("--on", "local", path)
    equal(p.returncode, 0, p.err)
    equal(p.out, "True 3 package ab\nb'some data\\n' 300000\nnamespace x %s/own.py\n" % os.path.realpath(where))


def test_tracebacks_show_the_served_source_and_its_lines():
    where = project()
    path = places.write("main.py", "import own\n\nown.fail()\n", where)
    p = run("--on", "local", path)
    equal(p.returncode, 1)
    real = os.path.realpath(where)
    equal(p.err.split("run\n")[-1], "Traceback (most recent call last):\n"
          '  File "%s", line 3, in <module>\n    own.fail()\n'
          '  File "%s/own.py", line 6, in fail\n    raise KeyError(\'here\')\nKeyError: \'here\'\n' % (path, real))
    p = run("--on", "local", places.write("bad.py", "x = 1\ny = = 2\n", where))
    check('bad.py", line 2' in p.err and "SyntaxError" in p.err, p.err)
    equal(p.returncode, 1)


def test_what_cannot_be_imported_says_why():
    where = project()
    p = run("--on", "local", places.write("a.py", "import nowhere_to_be_found\n", where))
    check("neither on local nor under" in p.err and where in p.err and "--path" in p.err, p.err)
    p = run("--on", "local", places.write("b.py", "import fast\n", where))
    check("C extension" in p.err and "fast.cpython" in p.err and "local" in p.err, p.err)
    p = run("--on", "local", places.write("c.py", "import package.missing\n", where))
    check("No module named 'package.missing'" in p.err, p.err)
    p = run("--on", "local", places.write("d.py", """\
        import importlib.util
        print(importlib.util.find_spec("nowhere_to_be_found"))
        """, where))
    equal(p.out, "None\n", p.err)


def test_path_adds_folders_behind_the_scripts():
    where, other = project(), places.folder()
    places.write("own.py", "WHERE = 'other'\n", other)
    places.write("more.py", "WHERE = 'more'\n", other)
    p = run("--path", other, "--on", "local", places.write("m.py", "import own, more; print(hasattr(own, 'WHERE'), more.WHERE)", where))
    equal(p.out, "False more\n", p.err)
    p = run("--path", "/nowhere", script(""))
    equal(p.returncode, 2, p.err)


def test_nothing_outside_the_roots_is_served():
    where, secret = project(), places.write("secret.py", "x = 1\n")
    os.symlink(secret, os.path.join(where, "linked.py"))
    p = run("--on", "local", places.write("m.py", """\
        import os, tilia
        def ask(kind, name):
            os.write(4, tilia.encode(tilia.encode([kind, name])))
            return tilia.decode(tilia.decode(os.read(4, 65536)))[0]
        for name in "%s", "../secret.py", "linked.py", "package/../../secret.py", "", "/etc/passwd":
            print(ask(5, name))
        for name in "linked", "..", "", "package/inner", "a" * 300, "a\\0b":
            print(ask(6, name)[-1:])
        """ % secret, where))
    equal(p.out, "None\n" * 6 + "b'\\xa0'\n" * 6, p.err)


def test_every_interpreter_that_is_here():
    where = project()
    path = places.write("main.py", """\
        import sys, tilia, own, package.deep.er
        space = tilia.space()
        space.out("x", 1.5, b"y", None, [1, {"a": "b"}])
        print(sys.version_info[:2], space.in_("x", float, bytes, ..., list), package.deep.er.add(1, 2))
        own.fail()
        """, where)
    found = glob.glob("/usr/bin/python3.*[0-9]") + glob.glob(os.path.expanduser("~/.pyenv/versions/3.*/bin/python"))
    for python in found:
        version = subprocess.run([python, "-V"], stdout=subprocess.PIPE).stdout.decode().split()[1].split(".")
        p = run("--on", 'local,python="%s"' % python, path)
        if tuple(map(int, version[:2])) < (3, 6):
            equal(p.returncode, 6, python, p.err)
            check("too old" in p.err, p.err)
            continue
        equal(p.returncode, 1, python, p.err)
        equal(p.out, "(3, %s) ('x', 1.5, b'y', None, [1, {'a': 'b'}]) 3\n" % version[1], python, p.err)
        check('own.py", line 6, in fail\n' in p.err, p.err)
    print("  " + ", ".join(sorted(found)))


def test_may_narrows_what_workers_can_do():
    server = harness.tiliad()
    p = run("--connect", server.address, "--may", "main:out,rd", "--on", "local", script("""\
        import tilia
        space = tilia.space()
        space.out("x")
        print(space.rd("x"))
        try:
            space.in_("x")
        except tilia.Error as error:
            print(error.word)
        """))
    equal(p.returncode, 0, p.err)
    check(p.out.endswith("denied\n"), p.out)
    for bad in "main", ":out", "":
        equal(run("--may", bad, script("")).returncode, 2)


def test_a_worker_cannot_say_hello():
    p = run("--on", "local", script("""\
        import os, socket, tilia
        fd = tilia.space().channel.fds[0]
        os.set_blocking(fd, True)
        message = tilia.encode([1, "hello", {"session": b"0123456789abcdef"}])
        os.write(fd, tilia.encode(message))
        print(os.read(fd, 100))
        """))
    equal(p.out, "b''\n", p.err)
    check("cut off" in p.err, p.err)


def take_and_die(how):
    """A worker takes plainly, and the reply is in its pipe when it ends by `how`."""
    server = harness.tiliad()
    client = subprocess.run([harness.TILIA, "out", "--connect", server.address, "job", "7"], stdout=subprocess.DEVNULL)
    equal(client.returncode, 0)
    run("--connect", server.address, "--on", "local", script("""\
        import os, select, tilia
        fd = tilia.space().channel.fds[0]
        os.write(fd, tilia.encode(tilia.encode([2, "in", "main", ["job", 7]])))
        select.select([fd], [], [])
        %s
        """ % how))
    p = subprocess.run([harness.TILIA, "count", "--connect", server.address, "job", ":int"], stdout=subprocess.PIPE)
    return p.stdout.strip()


def test_a_take_that_a_dead_worker_did_not_use_is_back():
    equal(take_and_die("os.kill(os.getpid(), 9)"), b"1")
    equal(take_and_die("raise SystemExit(1)"), b"1")


def test_a_take_of_a_worker_that_ended_well_is_done():
    equal(take_and_die("raise SystemExit(0)"), b"0")


def test_a_take_that_was_acknowledged_stays_taken():
    server = harness.tiliad()
    run("--connect", server.address, "--on", "local", script("""\
        import os, tilia
        space = tilia.space()
        space.out("a")
        space.in_("a")
        space.out("b")
        os.kill(os.getpid(), 9)
        """))
    for field, want in ("a", b"0"), ("b", b"1"):
        p = subprocess.run([harness.TILIA, "count", "--connect", server.address, field], stdout=subprocess.PIPE)
        equal(p.stdout.strip(), want, field)


def test_a_restart_of_the_server_is_not_seen():
    where = places.folder()
    store = os.path.join(where, "s.db")
    server = harness.tiliad("--store", store)
    p = places.begin("--connect", server.address, "--on", "2/local", script("""\
        import tilia
        space = tilia.space()
        for i in range(300):
            space.out("n", tilia.rank, i)
            assert space.in_("n", tilia.rank, int)[2] == i
            if i == 20:
                print("running")
        space.out("done", tilia.rank)
        """))
    for _ in range(2):
        check(b"running" in p.stdout.readline())
    os.kill(server.pid, signal.SIGKILL)
    server.wait()
    again = harness.tiliad("--store", store, sock=server.sock)
    out, err = p.communicate(timeout=60)
    equal(p.returncode, 0, err)
    p = subprocess.run([harness.TILIA, "count", "--connect", again.address], stdout=subprocess.PIPE)
    equal(p.stdout.strip(), b"2")


def test_words_that_are_wrong_are_refused():
    ok = script("")
    for words in (["--on", "", ok], ["--on", "0/local", ok], ["--on", "5000/local", ok], ["--on", "-x", ok],
                  ["--on", "sudo:root", ok], ["--on", "ssh:a,from=there", ok], ["--on", "a,nonsense=1", ok],
                  ["--on", "a,port=0", ok], ["--on", "local/local", ok], ["--on", "local", "--except", "a", ok],
                  ["--on", "local", "--except", "local", ok], ["--env", "=1", ok], [], ["--hosts", "/nowhere", ok],
                  ["--on", "a;b", ok], ["--on", 'a,python="x y"', ok]):
        equal(run(*words).returncode, 2, words)
    equal(run("--on", "local", "/nowhere/script.py").returncode, 7)


def test_hosts_come_from_a_file_and_a_script_from_stdin():
    hosts = places.write("hosts", "# mine\nlocal # here\n\n2/local\n")
    p = run("--hosts", hosts, "-", input=b"import tilia\nprint(tilia.size)\n")
    equal(sorted(p.out.splitlines()), ["[local %d] 3" % i for i in range(3)], p.err)


def test_more_workers_than_descriptors():
    p = run("--on", "100/local", script("print('here')"),
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256)))
    lines = p.out.splitlines()
    check(20 < len(lines) < 100, len(lines), p.err[:500])
    equal(p.err.count("Too many open files"), 100 - len(lines), p.err)
    check("no worker 99: " in p.err and "Traceback" not in p.err, p.err)
    equal(p.returncode, 1)


def test_ctrl_c_interrupts_then_terminates_then_leaves():
    text = """\
        import signal, time, tilia
        if tilia.rank == 0:
            try:
                print("ready")
                time.sleep(60)
            except KeyboardInterrupt:
                print("interrupted")
                raise
        """
    p = places.begin("--on", "local", script(text))
    check(b"ready" in p.stdout.readline())
    os.killpg(p.pid, signal.SIGINT)  # as a terminal does it
    out, err = p.communicate(timeout=10)
    equal((p.returncode, out), (130, b"interrupted\n"), err)
    check(b"once more" in err, err)

    p = places.begin("--on", "local", script("""\
        import signal, time
        def caught(number, frame):
            print("got", number)
        signal.signal(signal.SIGINT, caught)
        signal.signal(signal.SIGTERM, caught)
        import tilia
        print("ready", tilia.run)
        while True:
            time.sleep(60)
        """))
    name = p.stdout.readline().decode().split()[-1]
    for number in 2, 15:
        os.kill(p.pid, signal.SIGINT)
        equal(p.stdout.readline(), b"got %d\n" % number)
    os.kill(p.pid, signal.SIGINT)
    p.communicate(timeout=5)
    equal(p.returncode, 130)
    places.gone(name, time.monotonic())


def test_fork_in_a_worker():
    p = run("--on", "local", script("""\
        import os, tilia
        space = tilia.space()
        space.out("a", 1)
        pid = os.fork()
        if pid == 0:
            try:
                space.out("a", 2)
                print("out", flush=True)
            except tilia.Error as error:
                print(error.word, flush=True)
            os._exit(0)
        os.waitpid(pid, 0)
        print(space.in_("a", 1)[1])
        """))
    equal(p.returncode, 0, p.err)
    check(p.out in ("usage\n1\n", "out\n1\n"), p.out)


if __name__ == "__main__":
    harness.main()
