#!/usr/bin/python3
"""A far side that is not ours: whatever it says, the launcher stays whole and says who it was."""
import os
import resource
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import places
from places import check, equal, harness, run, script

# An ssh that says the mark, and then what the test wants.
FAR = """\
#!/usr/bin/python3
import os, re, sys, time
sys.path.insert(0, %r)
from tilia import encode
mark = re.search(r" - ([a-z0-9]{16}) ", sys.argv[-1]).group(1)
os.write(1, b"motd\\n" + mark[::-1].encode() + b"\\n")
def say(channel, kind, data):
    data = encode(encode([channel, kind, data]))
    while data:
        data = data[os.write(1, data):]
def hello():
    say(0, 7, encode(["hello", "3"]))
def listen():
    while os.read(0, 65536):
        pass
%s
"""


def far(text, on="web1"):
    where = places.path_with(("ssh", FAR % (os.path.join(harness.ROOT, "libclient", "python"), text)))
    env = places.environment(PATH=where + ":" + os.environ["PATH"])
    return run("--on", on, "--connect-timeout", "10s", script("print(1)"), env=env, timeout=60)


def refused(text):
    p = far(text)
    equal((p.returncode, p.out), (5, "") if "hello()" in text else (6, ""), text, p.err)
    check("web1: what came from there is not the trunk's protocol" in p.err, text, p.err)


def test_what_is_not_the_protocol():
    refused("os.write(1, b'Traceback (most recent call last):' * 100); listen()")
    refused("hello(); os.write(1, bytes(1000)); listen()")
    refused("hello(); say(2, 1, b'x'); listen()")
    refused("hello(); say(0, 1, b'x'); listen()")
    refused("hello(); say(1, 99, b''); listen()")
    refused("hello(); say(1, 4, b''); listen()")
    refused("hello(); say(1, 1, b'x' * 65537); listen()")
    refused("hello(); os.write(1, b'\\x5b\\x7f' + b'\\xff' * 7); listen()")
    refused("hello(); say(1, 8, encode([0, 1 << 40])); listen()")


def test_numbers_and_names_that_mean_nothing_are_passed_over():
    p = far("""\
hello()
say(0, 7, encode(["what", 1]))
say(0, 4, encode(0))
say(1, 4, encode("x"))
say(1, 4, encode(1 << 50))
say(1, 1, b"text\\n")
say(1, 4, encode(0))
say(1, 4, encode(7))
say(1, 1, b"late\\n")
listen()""")
    equal((p.returncode, p.out), (0, "text\n"), p.err)


def test_a_log_with_control_characters_and_a_name_that_is_none():
    p = far(r"""
hello()
say(0, 3, encode("\x1b[2Jboo\n"))
say(0, 3, encode(17))
say(0, 6, encode(17))
say(0, 6, encode(b"x"))
say(0, 5, encode("../../../etc/passwd"))
say(0, 5, encode(None))
say(1, 4, encode(0))
listen()""")
    equal((p.returncode, p.out), (0, ""), p.err)
    check("\x1b" not in p.err and "boo" in p.err, repr(p.err))


def test_many_questions_do_not_take_memory():
    # 800 times the same package of 1 MB, and no answer is read for a while.
    where = places.folder()
    places.write("big/__init__.py", b"#" * 1000000, where)
    path = places.write("main.py", "", where)
    text = """
import threading
reader = threading.Thread(target=lambda: (time.sleep(1), listen()))
reader.start()
hello()
for i in range(800):
    say(0, 6, encode("big"))
say(1, 4, encode(0))
reader.join()
"""
    ssh = places.path_with(("ssh", FAR % (os.path.join(harness.ROOT, "libclient", "python"), text)))
    limit = 400 << 20
    p = run("--on", "web1", path, env=places.environment(PATH=ssh + ":" + os.environ["PATH"]), timeout=120,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
    equal(p.returncode, 0, p.err)


if __name__ == "__main__":
    harness.main()
