#!/usr/bin/python3
"""The README's first session, typed as it stands; the demo; what else it shows."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness  # noqa: E402

with open(os.path.join(harness.ROOT, "README.md"), encoding="utf-8") as f:
    README = f.read()


class Terminal:
    """A shell that is typed into, in a folder that has build/ and C files, as a new user of it."""

    def __init__(self, home):
        env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": home, "XDG_RUNTIME_DIR": home, "LC_ALL": "C.UTF-8"}
        self.shell = harness.start(["bash", "--norc"], cwd=home, env=env, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.type("shopt -s expand_aliases")

    def begin(self, line):
        self.shell.stdin.write(line + "\necho '<end>'\n")
        self.shell.stdin.flush()

    def answer(self):
        said = ""
        for line in self.shell.stdout:
            if line == "<end>\n":
                return said
            said += line
        raise AssertionError("the shell ended: " + said)

    def type(self, line):
        self.begin(line)
        return self.answer()


def a_home(files):
    home = os.path.join(harness.folder(), "home")
    os.mkdir(home)
    os.symlink(harness.BUILD, os.path.join(home, "build"))
    for i in range(files):
        with open(os.path.join(home, "%c.c" % (97 + i)), "w") as f:
            f.write("int f%d;\n" % i)
    return home


def typed(text):
    """(what is typed, what it answers) of each step of a text that shows a session."""
    return re.findall(r"^    \$ (.*)\n((?:    [^$\n].*\n)*)", text, re.M)


def answers(terminal, steps):
    for line, answer in steps:
        want = re.sub(r"^    ", "", answer, flags=re.M)
        said = terminal.type(line)
        assert said == want, "$ %s\n%s\nnot\n%s" % (line, said, want)


def end_server(terminal):
    terminal.type("kill %1; wait %1")


def test_first_session():
    session = README.split("\n## A first session\n")[1].split("\n## ")[0]
    before, after = session.split("and in another terminal")
    other, after = re.match(r"\s*`([^`]*)`(.*)", after, re.S).groups()
    (server, _), *steps, (waits, _) = typed(before)
    assert server.split()[1] == "&" and waits.endswith("# waits ...") and len(steps) >= 5, typed(before)
    home = a_home(files=int(re.search(r"compile :text\n    (\d+)\n", after).group(1)))
    first, second = Terminal(home), Terminal(home)
    server = re.sub("&.*", "2>log &", server)
    first.type(server)
    harness.until(lambda: os.path.exists(home + "/tilia.sock"), "tiliad is ready")
    answers(first, steps)
    first.begin(waits)
    second.type(steps[0][0])
    harness.until(lambda: "waiting 1\n" in second.type("tilia stats"), "one waits")
    assert second.type(other) == ""
    assert first.answer() == '["job", 19, "x.png"]\n'
    answers(first, typed(after))
    compiled, source = ({f[:-2] for f in os.listdir(home) if f.endswith(end)} for end in (".o", ".c"))
    assert compiled == source
    end_server(first)
    with open(home + "/log") as f:
        assert "error" not in f.read()


def test_python_program():
    program = re.search(r"^    import tilia\n(?:    .*\n)*", README, re.M).group(0)
    program = re.sub(r"^    ", "", program, flags=re.M).replace("...", "print(job[1])")
    server = harness.tiliad()
    env = dict(os.environ, TILIA=server.address, PYTHONPATH=os.path.join(harness.ROOT, "libclient", "python"))
    subprocess.run([harness.TILIA, "out", "--lines", "compile"], input=b"a.c\nb.c\n", env=env, check=True)
    assert subprocess.check_output([sys.executable, "-c", program], env=env, text=True, timeout=60) == "a.c\nb.c\n"


def test_demo():
    """`make demo` without the building: every worker has its share, and the count is right."""
    p = subprocess.run([os.path.join(harness.ROOT, "docs", "examples", "demo.sh")], stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True, timeout=250, env=dict(os.environ, BUILD=harness.BUILD))
    assert p.returncode == 0 and "identical to the count of a single process\n" in p.stdout, p.stdout
    shares = re.findall(r"^worker \d+ on \S+: (\d+) lines$", p.stdout, re.M)
    assert len(shares) >= 4 and all(int(n) > 0 for n in shares), p.stdout


harness.main()
