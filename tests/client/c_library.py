"""libtilia from the outside: the header alone, the symbols, the example programs."""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness

HEADER = os.path.join(harness.ROOT, "libclient", "tilia.h")
EXAMPLES = os.path.join(harness.BUILD, "docs", "examples")


def declared():
    """Every function that tilia.h declares."""
    text = re.sub(r"/\*.*?\*/", "", open(HEADER).read(), flags=re.S)
    return set(re.findall(r"TILIA_API [^;(]*?\b(tilia_\w+)\(", text))


def test_the_header_needs_no_other():
    folder = tempfile.mkdtemp(dir=harness.folder())
    shutil.copy(HEADER, folder)
    for compiler, flags, name in (("cc", ["-std=c11", "-pedantic"], "x.c"), ("c++", ["-std=c++11"], "x.cc")):
        if shutil.which(compiler) is None:
            raise harness.Skip("no " + compiler)
        path = os.path.join(folder, name)
        with open(path, "w") as f:
            f.write("#include <tilia.h>\nint main(void) { struct tilia *t; return tilia_open(&t, 0); }\n")
        subprocess.run([compiler, *flags, "-Wall", "-Wextra", "-Werror", "-I", folder, "-fsyntax-only", path],
                       check=True)


def test_the_library_exports_what_the_header_declares_and_nothing_else():
    out = subprocess.run(["nm", "-D", "--defined-only", os.path.join(harness.BUILD, "libtilia.so")],
                         stdout=subprocess.PIPE, check=True, universal_newlines=True).stdout
    symbols = {line.split()[-1] for line in out.splitlines()}
    assert len(declared()) > 50
    assert symbols == declared(), symbols ^ declared()


def example(name, server, **kw):
    program = os.path.join(EXAMPLES, name)
    if not os.access(program, os.X_OK):
        raise harness.Skip(program + " is not built")
    return harness.start([program], env=dict(os.environ, TILIA=server.address), stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, universal_newlines=True, **kw)


def run(name, server):
    p = example(name, server)
    out, err = p.communicate(timeout=60)
    return p.returncode, out, err


def tilia(server, *args):
    p = subprocess.run([harness.TILIA, *args], env=dict(os.environ, TILIA=server.address), timeout=60,
                       stdout=subprocess.PIPE, universal_newlines=True, check=True)
    return p.stdout.strip()


def test_hello_says_hello():
    server = harness.tiliad()
    assert run("hello", server) == (0, "hello, world of 1986\n0 left\n", "")


def test_examples_without_a_server_say_so():
    server = harness.tiliad()
    server.kill()
    server.wait()
    for name in "hello", "worker", "uv":
        code, out, err = run(name, server)
        assert code == 1 and out == "", (code, out)
        assert server.sock in err and err.count("\n") == 1, err


def test_a_worker_works_and_ends_at_an_interruption_without_losing_a_job():
    server = harness.tiliad()
    worker = example("worker", server)
    for n in 91, 97, 1001:
        tilia(server, "out", "job", str(n))
    assert tilia(server, "in", "done", "91", ":int") == '["done", 91, 7]'
    assert tilia(server, "in", "done", "97", ":int") == '["done", 97, 97]'
    assert tilia(server, "in", "done", "1001", ":int") == '["done", 1001, 7]'
    worker.send_signal(signal.SIGINT)
    out, err = worker.communicate(timeout=60)
    assert (worker.returncode, out, err) == (0, "3 done\n", "")
    tilia(server, "out", "job", "5")
    assert tilia(server, "count", "job", ":int") == "1"


def test_a_libuv_loop_takes_what_it_puts():
    server = harness.tiliad()
    assert run("uv", server) == (0, "1000 taken, their sum is 499500\n", "")


TAKER = r"""
#include "tilia_uv.h"
#include <stdio.h>
static struct tilia_uv u;
static void *item;
static size_t size;
static void closed(struct tilia_uv *v) { tilia_close(v->t); }
static void taken(struct tilia *t, struct tilia_done *d, void *arg)
{
	int64_t n = -1;
	if (d->code == 0)
		tilia_tuple_int(d->tuples, 1, &n);
	printf("%lld %s\n", (long long)n, d->error);
	fflush(stdout);
	if (n >= 0)
		tilia_submit(t, TILIA_IN, NULL, item, size, taken, arg);
	else
		tilia_uv_close(&u, closed);
}
int main(void)
{
	struct tilia *t;
	if (tilia_start(&t, NULL) != 0 || tilia_parse(t, &item, &size, "[\"job\", ?int]") != 0)
		return 1;
	tilia_submit(t, TILIA_IN, NULL, item, size, taken, NULL);
	tilia_uv_init(&u, uv_default_loop(), t, NULL);
	uv_run(uv_default_loop(), UV_RUN_DEFAULT);
	tilia_free(item);
	return uv_loop_close(uv_default_loop());
}
"""


def test_a_libuv_loop_outlives_killed_servers():
    folder = tempfile.mkdtemp(dir=harness.folder())
    program, source, store = (os.path.join(folder, name) for name in ("taker", "taker.c", "db"))
    if shutil.which("cc") is None:
        raise harness.Skip("no cc")
    with open(source, "w") as f:
        f.write(TAKER)
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libuv", "libcbor", "libxxhash"], check=True,
                           stdout=subprocess.PIPE, universal_newlines=True).stdout.split()
    subprocess.run(["cc", "-o", program, source, "-I", os.path.join(harness.ROOT, "libclient"), "-I",
                    os.path.join(harness.ROOT, "docs", "examples"), os.path.join(harness.BUILD, "libtilia.a"),
                    *flags, "-pthread"], check=True)
    server = harness.tiliad("--store", store)
    taker = harness.start([program], env=dict(os.environ, TILIA=server.address), stdout=subprocess.PIPE,
                          universal_newlines=True)
    for n in range(4):
        tilia(server, "out", "job", str(n))
        assert taker.stdout.readline() == "%d \n" % n
        server.kill()
        server.wait()
        if os.path.exists(server.sock):
            os.unlink(server.sock)
        server = harness.tiliad("--store", store, sock=server.sock)
    tilia(server, "out", "job", "-1")
    assert taker.stdout.readline() == "-1 \n"
    assert taker.wait(60) == 0
    assert tilia(server, "count", "job", ":int") == "0"


harness.main()
