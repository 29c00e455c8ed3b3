#!/usr/bin/python3
"""What is installed: the right files, a library that shows only its own names, and examples
that a user compiles against them."""
import glob
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness  # noqa: E402

PREFIX = "/opt/tilia"


def output(*argv, **kw):
    p = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=200, **kw)
    assert p.returncode == 0, (argv, p.stdout)
    return p.stdout


def installed(prefix):
    """A folder with the installed tree in it."""
    where = os.path.join(harness.folder(), prefix.strip("/").replace("/", "-"))
    if not os.path.isdir(where):
        output("make", "-s", "install", "BUILD=" + os.path.relpath(harness.BUILD, harness.ROOT), "PREFIX=" + prefix,
               "PYDIR=%s/python" % prefix, "DESTDIR=" + where, cwd=harness.ROOT)
    return where


def test_the_right_files():
    where = installed(PREFIX) + PREFIX
    found = {os.path.relpath(os.path.join(folder, name), where)
             for folder, _, names in os.walk(where) for name in names}
    python = {"python/tilia/" + os.path.basename(p)
              for p in glob.glob(os.path.join(harness.ROOT, "libclient", "python", "tilia", "*.*"))}
    pages = {"share/man/man%s/%s" % (p[-1], os.path.basename(p))
             for p in glob.glob(os.path.join(harness.ROOT, "docs", "man", "*"))}
    assert python and pages
    assert found == python | pages | {
        "bin/tilia", "bin/tiliad", "include/tilia.h", "lib/libtilia.a", "lib/libtilia.so", "lib/libtilia.so.0",
        "lib/pkgconfig/tilia.pc", "share/bash-completion/completions/tilia"}, found
    for name in found:
        mode = os.stat(os.path.join(where, name)).st_mode & 0o777
        assert mode == (0o755 if name.startswith(("bin/", "lib/libtilia.so")) else 0o644), (name, oct(mode))


def test_the_prefix_is_that_of_the_installation():
    for prefix in "/usr/local", PREFIX:
        with open(installed(prefix) + prefix + "/lib/pkgconfig/tilia.pc") as f:
            assert f.readline() == "prefix=%s\n" % prefix


def test_the_library_shows_only_its_own_names():
    library = installed(PREFIX) + PREFIX + "/lib/libtilia.so"
    names = [line.split()[-1] for line in output("nm", "-D", "--defined-only", library).splitlines()]
    assert len(names) > 20
    assert [n for n in names if not n.startswith("tilia_")] == []
    assert "Library soname: [libtilia.so.0]" in output("readelf", "-d", library)


HELLO = os.path.join(harness.ROOT, "docs", "examples", "hello.c")


def hello(name, *flags):
    """The example, compiled with these flags."""
    program = os.path.join(harness.folder(), name)
    output("cc", HELLO, "-o", program, *flags)
    return program


def greets(program, **env):
    server = harness.tiliad()
    said = output(program, env=dict(os.environ, TILIA=server.address, **env))
    assert "hello, world of 1986\n" in said, said


def pkg_config(prefix, *args):
    where = installed(prefix)
    env = dict(os.environ, PKG_CONFIG_PATH=where + prefix + "/lib/pkgconfig", PKG_CONFIG_SYSROOT_DIR=where)
    return output("pkg-config", *args, "tilia", env=env).split()


def test_an_example_runs_with_what_is_installed():
    program = hello("shared", *pkg_config(PREFIX, "--cflags", "--libs"))
    assert "libtilia.so.0" in output("readelf", "-d", program)
    greets(program, LD_LIBRARY_PATH=installed(PREFIX) + PREFIX + "/lib")


def test_every_example_compiles_with_what_is_installed():
    """Those that use libuv too say so in their first comment."""
    for source in glob.glob(os.path.join(os.path.dirname(HELLO), "*.c")):
        flags = pkg_config(PREFIX, "--cflags", "--libs")
        with open(source) as f:
            if "libuv" in f.read().split("*/")[0]:
                flags += output("pkg-config", "--cflags", "--libs", "libuv").split()
        output("cc", "-Wall", "-Wextra", "-Werror", source, "-o", os.path.join(harness.folder(), "example"), *flags)


def test_the_static_library_is_enough():
    os.unlink(installed("/usr/local") + "/usr/local/lib/libtilia.so")
    program = hello("static", *pkg_config("/usr/local", "--cflags", "--libs", "--static"))
    assert "libtilia" not in output("readelf", "-d", program)
    greets(program)


def test_python_finds_the_package():
    server = harness.tiliad()
    script = "import tilia; s = tilia.space(); s.out('a', 1); print(s.in_('a', int)[1], tilia.__file__)"
    where = installed(PREFIX) + PREFIX + "/python"
    said = output("/usr/bin/python3", "-c", script, env=dict(os.environ, TILIA=server.address, PYTHONPATH=where))
    assert said == "1 %s/tilia/__init__.py\n" % where, said


harness.main()
