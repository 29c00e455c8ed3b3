#!/usr/bin/python3
"""What README and guide show is what happens."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness  # noqa: E402
from cli import Cli  # noqa: E402


def shell(t, script):
    env = dict(t.env, PATH=harness.BUILD + ":" + os.environ["PATH"])
    p = subprocess.run(["bash", "-c", script], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       stdin=subprocess.DEVNULL, timeout=60)
    return p.stdout.decode()


def text(name):
    return open(os.path.join(harness.ROOT, name)).read()


def test_the_first_session_of_the_readme():
    t = Cli()
    session = text("README.md").split("## A first session")[1].split("# waits")[0]
    steps = re.findall(r"^    \$ (tilia .*?)(?:  +#.*)?\n((?:    [^$\s].*\n)*)", session, re.M)
    assert len(steps) >= 5, steps
    for command, output in steps:
        want = re.sub(r"^    ", "", output, flags=re.M)
        assert shell(t, command) == want, (command, shell(t, "tilia ls"), want)


def test_the_line_door_of_the_guide():
    t = Cli()
    t.ok("out", "job", "5")
    part = re.search(r"^    coproc tilia pipe\n(?:    .*\n)*", text("docs/guide.md"), re.M).group(0)
    assert shell(t, part + 'eval "exec ${COPROC[1]}>&-"; wait') == "job 5\n"
    assert t.ok("ls") == b'["result", 17]\n'


def test_the_counter_of_the_guide():
    t = Cli()
    t.ok("out", "counter", "41")
    part = re.search(r"^    n=\$\(tilia in .*\n    tilia out .*\n", text("docs/guide.md"), re.M).group(0)
    assert shell(t, part) == ""
    assert t.ok("ls") == b'["counter", 42]\n'


def test_the_templates_of_the_guide():
    t = Cli()
    templates = re.findall(r"^    tilia in ('\[.*?\]')", text("docs/guide.md"), re.M)
    assert len(templates) >= 6, templates
    for template in templates:
        assert shell(t, "tilia in --dry-run " + template).startswith("["), template


def test_every_file_the_readme_names_is_there():
    for name in re.findall(r"`((?:docs|libclient|tools)/[^`* ]+)`", text("README.md")):
        assert os.path.exists(os.path.join(harness.ROOT, name)), name


harness.main()
