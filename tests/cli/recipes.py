#!/usr/bin/python3
"""The recipes of the guide: each is run by the command it names, and ends with "ok: ..."."""
import glob
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness  # noqa: E402

FOLDER = "docs/examples/recipes/"


def read(path):
    with open(os.path.join(harness.ROOT, path), encoding="utf-8") as file:
        return file.read()


def run(path):
    """The last line that the recipe's own command prints, with a server of its own."""
    command = re.search(r"^(?:# )? +(tilia run --on \S+ |sh )%s.*$" % re.escape(path), read(path), re.M)
    assert command, path + " does not say how it is run"
    server = harness.tiliad()
    env = dict(os.environ, TILIA=server.address, PATH=harness.BUILD + ":" + os.environ["PATH"])
    p = subprocess.run(["sh", "-c", command.group(1) + path], cwd=harness.ROOT, env=env, timeout=60,
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    server.kill()
    server.wait()
    text = p.stdout.decode()
    assert p.returncode == 0, (path, p.returncode, text)
    return text.splitlines()[-1] if text else ""


def recipe(path):
    def test():
        last = run(path)
        assert re.fullmatch(r"(\[local 0\] )?ok: .+", last), (path, last)
    return test


for _path in sorted(glob.glob(os.path.join(harness.ROOT, FOLDER, "*"))):
    _name = os.path.basename(_path)
    globals()["test_" + _name.replace(".", "_")] = recipe(FOLDER + _name)


def test_the_guide_names_every_recipe():
    guide = read("docs/guide.md")
    names = {os.path.basename(path) for path in glob.glob(os.path.join(harness.ROOT, FOLDER, "*"))}
    assert len(names) >= 17, names
    assert names == set(re.findall(r"recipes/([a-z_]+\.[a-z]+)", guide)), names


harness.main()
