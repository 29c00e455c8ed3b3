#!/usr/bin/python3
"""What the start of a worker costs: characters, bytes, round trips until its first out is answered."""
import os
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import places
from places import check, equal, harness, run, script

# An ssh that records when which bytes went which way. A round trip ends when the far side's
# bytes follow ours after it had been waited for: counted from the order of the records.
RECORDER = """\
#!/usr/bin/python3
import os, select, subprocess, sys
log = open(%r, "wb")
log.write(b"c %%d\\n" %% len(sys.argv[-1].encode()))
p = subprocess.Popen(["/bin/sh", "-c", sys.argv[-1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
ends = {0: p.stdin.fileno(), p.stdout.fileno(): 1}
while ends:
    for fd in select.select(list(ends), [], [])[0]:
        data = os.read(fd, 1 << 20)
        if not data:
            to = ends.pop(fd)
            if to != 1:
                p.stdin.close()
            else:
                ends.clear()
            break
        log.write(b"%%s %%d\\n" %% (b"d" if fd == 0 else b"u", len(data)))
        log.flush()
        if fd == 0:
            p.stdin.write(data)
            p.stdin.flush()
        else:
            os.write(1, data)
p.wait()
"""


def payload():
    with open(os.path.join(harness.BUILD, "tools", "boot", "payload_data.c")) as file:
        data = re.search(r"core\[\] = \{(.*?)\};", file.read(), re.S).group(1)
    return len(data.split(",")) - data.rstrip().endswith(",")


def recorded(text):
    log = os.path.join(places.folder(), "log")
    where = places.path_with(("ssh", RECORDER % log))
    p = run("--on", "web1", script(text), env=places.environment(PATH=where + ":" + os.environ["PATH"]))
    equal(p.returncode, 0, p.err)
    with open(log, "rb") as file:
        rows = [line.split() for line in file]
    return [(way.decode(), int(size)) for way, size in rows]


def turns(rows):
    """How often the direction changed from up to down: each is a wait for the far side."""
    ways = [way for way, _ in rows if way in "ud"]
    return sum(a == "u" and b == "d" for a, b in zip(ways, ways[1:]))


def test_first_stage_payload_and_bytes_until_the_first_out_is_answered():
    rows = recorded("""\
        import tilia
        tilia.space().out("first")
        print("answered")
        """)
    stage = rows[0][1]
    down = sum(size for way, size in rows if way == "d")
    up = sum(size for way, size in rows if way == "u")
    print("  first stage %d characters, payload %d bytes; until the first out is answered: "
          "%d bytes there, %d bytes back, %d round trips" % (stage, payload(), stage + down, up, turns(rows)))
    check(stage < 1000, stage)
    check(payload() <= 8192, payload())
    check(down < payload() + 1500, down)
    check(up < 500, up)
    # stage, payload and start go without waiting; the out and its answer are the one turn
    equal(turns(rows), 1, rows)


def test_one_request_brings_a_package():
    where = places.folder()
    for i in range(20):
        places.write("package/part%d.py" % i, "VALUE = %d\n" % i, where)
    places.write("package/__init__.py", "", where)
    path = places.write("main.py", "import importlib\nfor i in range(20): importlib.import_module('package.part%d' % i)\n", where)
    log = os.path.join(places.folder(), "log")
    programs = places.path_with(("ssh", RECORDER % log))
    p = run("--on", "5/web1", path, env=places.environment(PATH=programs + ":" + os.environ["PATH"]))
    equal(p.returncode, 0, p.err)
    with open(log, "rb") as file:
        rows = [(way.decode(), int(size)) for way, size in (line.split() for line in file)]
    equal(turns(rows), 1, rows)


def test_fifty_workers_start_at_once():
    text = script("""\
        import tilia
        space = tilia.space()
        space.out("here", tilia.rank)
        if tilia.rank == 0:
            print(sum(space.in_("here", int)[1] for _ in range(tilia.size)))
        """)
    started = time.monotonic()
    p = run("--on", "50/local", text)
    seconds = time.monotonic() - started
    equal(p.returncode, 0, p.err)
    equal(p.out, "[local 0] 1225\n")
    print("  50 workers, each with a session of its own, began and met in %.2f s" % seconds)


if __name__ == "__main__":
    harness.main()
