#!/usr/bin/python3
"""What workers print: whole lines, nothing lost, nothing mixed, whatever the bytes."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import places
from places import check, equal, harness, run, script


def split_lines(data):
    return re.findall(rb"[^\n]*\n|[^\n]+$", data)


def printed(text, workers=2, **kw):
    p = run("--on", "%d/local" % workers, script(text), **kw)
    equal(p.returncode, 0, p.err)
    for line in split_lines(p.stdout):
        check(re.match(rb"\[local \d+( \+)?\] ", line), "no prefix:", line[:60])
    return p


def test_ten_megabytes_without_a_newline():
    p = printed("""\
        import sys, tilia
        out = sys.stdout.buffer
        for i in range(160):
            out.write(bytes([65 + tilia.rank]) * 65536)
        """)
    for rank in 0, 1:
        got = b"".join(line.partition(b"] ")[2].rstrip(b"\n") for line in split_lines(p.stdout)
                       if line.startswith(b"[local %d" % rank))
        equal(len(got), 160 * 65536)
        equal(set(got), {65 + rank})
    pieces = [line for line in split_lines(p.stdout) if line.startswith(b"[local 0")]
    equal(len(pieces), 160)
    check(pieces[0].startswith(b"[local 0] ") and all(x.startswith(b"[local 0 +] ") for x in pieces[1:]))


def test_lines_at_the_limit():
    p = printed("""\
        import tilia
        for n in 65535, 65536, 65537, 131072, 131073:
            print("x" * n)
        """, 2)
    mine = [(line.partition(b"] ")[0], len(line.partition(b"] ")[2]) - 1)
            for line in split_lines(p.stdout) if line.startswith(b"[local 1")]
    a, b = b"[local 1", b"[local 1 +"
    equal(mine, [(a, 65535), (a, 65536), (a, 65536), (b, 1), (a, 65536), (b, 65536),
                 (a, 65536), (b, 65536), (b, 1)])


def test_nul_and_what_is_not_utf8_pass():
    p = printed("""\
        import os
        os.write(1, bytes(range(256)) * 3 + b"\\n\\0\\n\\xff\\xfe\\n\\n")
        """)
    text = bytes(range(256)) * 3 + b"\n\0\n\xff\xfe\n\n"
    want = [line for line in split_lines(text)]
    for rank in 0, 1:
        equal([line.partition(b"] ")[2] for line in split_lines(p.stdout) if line.startswith(b"[local %d] " % rank)],
              want)


def test_a_progress_bar_with_cr():
    p = printed(r"""
        import sys, time
        for i in range(5):
            sys.stdout.write("\r%d%%" % (i * 25))
            sys.stdout.flush()
            time.sleep(0.01)
        print()
        """)
    bar = b"\r0%\r25%\r50%\r75%\r100%\n"
    equal(sorted(split_lines(p.stdout)), [b"[local 0] " + bar, b"[local 1] " + bar])


def test_one_worker_alone_passes_its_bytes_as_they_are():
    p = run("--on", "local", script(r"""
        import os
        os.write(1, b"no newline \xff\0")
        """))
    equal(p.stdout, b"no newline \xff\0", p.err)


def test_a_line_without_its_newline_ends_with_one():
    p = printed("import sys, tilia; sys.stdout.write('end %d' % tilia.rank)")
    equal(sorted(split_lines(p.stdout)), [b"[local 0] end 0\n", b"[local 1] end 1\n"])


def test_stdout_and_stderr_stay_apart_and_in_order():
    p = printed("""\
        import sys
        for i in range(1000):
            print("out", i)
            print("err", i, file=sys.stderr)
        """)
    for data, word in (p.stdout, b"out"), (p.stderr, b"err"):
        for rank in b"0", b"1":
            mine = [line for line in split_lines(data) if line.startswith(b"[local " + rank)]
            equal(mine, [b"[local %s] %s %d\n" % (rank, word, i) for i in range(1000)])


def test_two_flooding_workers_lose_and_mix_nothing():
    p = printed("""\
        import tilia
        for i in range(60000):
            print("%d %06d %s" % (tilia.rank, i, "y" * (i % 150)))
        """)
    for rank in 0, 1:
        mine = [line for line in split_lines(p.stdout) if line.startswith(b"[local %d] " % rank)]
        equal(len(mine), 60000)
        for i, line in enumerate(mine):
            if line != b"[local %d] %d %06d %s\n" % (rank, rank, i, b"y" * (i % 150)):
                raise AssertionError("line %d is %r" % (i, line[:80]))


def test_operations_stay_quick_beside_a_flood():
    text = """\
        import tilia, time
        space = tilia.space()
        if tilia.rank == 0:
            space.in_("go")
            times = []
            for i in range(500):
                started = time.monotonic()
                space.out("x", i)
                space.in_("x", i)
                times.append(time.monotonic() - started)
            space.out("stop")
            times.sort()
            print("p50 %.6f p99 %.6f" % (times[250], times[495]))
        else:
            space.out("go")
            while space.inp("stop") is None:
                for i in range(500 if {flood} else 0):
                    print("z" * 500)
                {flood} or time.sleep(0.05)
        """
    for flood in 0, 1:
        p = printed(text.replace("{flood}", str(flood)), 2)
        line, = [line for line in p.out.splitlines() if "p99" in line]
        p50, p99 = float(line.split()[3]), float(line.split()[5])
        print("  flood %d: p50 %.2f ms, p99 %.2f ms" % (flood, p50 * 1000, p99 * 1000))
    check(p99 < 0.5, "an out and an in took %.3f s beside a flood" % p99)


def test_a_reader_that_stands_still_holds_up_text_alone():
    # 2 MB printed, nobody reads: the other worker's operations go on.
    server = harness.tiliad()
    p = places.begin("--connect", server.address, "--on", "2/local", script("""\
        import tilia
        space = tilia.space()
        if tilia.rank == 0:
            for i in range(40000):
                print("w" * 200)
        else:
            for i in range(300):
                space.out("x", i)
                space.in_("x", i)
            space.out("through")
        """))
    q = subprocess.run([harness.TILIA, "in", "--connect", server.address, "--timeout", "20s", "through"],
                       stdout=subprocess.PIPE)
    equal(q.returncode, 0)
    out, err = p.communicate(timeout=30)
    equal(p.returncode, 0, err)
    equal(out.count(b"\n"), 40000)


def test_a_child_that_keeps_the_pipe_does_not_keep_the_run():
    p = run("--on", "local", script("""\
        import subprocess, sys
        subprocess.Popen([sys.executable, "-c", "import time; print('late', flush=True); time.sleep(600)"])
        import time; time.sleep(0.3)
        print("end")
        """), timeout=20)
    equal(p.returncode, 0, p.err)
    equal(sorted(p.out.split()), ["end", "late"])


def test_colours_on_a_terminal_only():
    import pty
    parent, child = pty.openpty()
    p = harness.start(places.argv("--on", "2/local", script("print('x')")), stdout=child, stderr=subprocess.DEVNULL,
                      stdin=subprocess.DEVNULL, env=places.environment(TERM="xterm", NO_COLOR=None), start_new_session=True)
    os.close(child)
    data = b""
    try:
        while True:
            more = os.read(parent, 1000)
            if not more:
                break
            data += more
    except OSError:
        pass
    equal(p.wait(), 0)
    equal(sorted(data.split(b"\r\n")), [b"", b"\033[32m[local 0]\033[0m x", b"\033[32m[local 1]\033[0m x"])


if __name__ == "__main__":
    harness.main()
