"""The Python tests' harness: functions named test_* of a script are its tests.

A script ends with `harness.main()`. Lines as the C harness prints them. BUILD and SEED
come from the environment. Servers and folders made here are ended and removed here.
"""
import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("BUILD") or os.path.join(ROOT, "build"))
SEED = int(os.environ.get("SEED") or 1)
TILIAD = os.path.join(BUILD, "tiliad")
TILIA = os.path.join(BUILD, "tilia")
sys.path.insert(0, os.path.join(ROOT, "libclient", "python"))


class Skip(Exception):
    """Raised by a test that cannot run here; the text says why."""


_started = []
_folder = None


def folder():
    """A folder of this script's own, removed at its end."""
    global _folder
    if _folder is None:
        _folder = tempfile.mkdtemp(prefix="tilia-")
        atexit.register(shutil.rmtree, _folder, ignore_errors=True)
    return _folder


def start(argv, **kw):
    """subprocess.Popen, ended at the script's end if it still runs."""
    p = subprocess.Popen(argv, **kw)
    _started.append(p)
    return p


@atexit.register
def _end():
    for p in _started:
        if p.poll() is None:
            p.send_signal(signal.SIGCONT)
            p.kill()
            p.wait()


def tiliad(*args, sock=None, wait=True, **kw):
    """Starts a server on a Unix socket of its own; .address is where it answers."""
    sock = sock or os.path.join(tempfile.mkdtemp(dir=folder()), "s")
    if os.path.exists(sock):  # of one that was killed: waiting for it would mean nothing
        os.unlink(sock)
    if not any(a in ("--volatile", "--store") for a in args):
        args = ("--volatile",) + args
    kw.setdefault("stderr", subprocess.PIPE if wait is None else open(sock + ".log", "ab"))
    p = start([TILIAD, "--listen", "unix:" + sock, *args], **kw)
    p.address = "unix:" + sock
    p.sock = sock
    if wait:
        until(lambda: os.path.exists(sock) or p.poll() is not None, "tiliad is ready", 60)
        if p.poll() is not None:
            raise AssertionError("tiliad ended: " + open(sock + ".log").read())
    return p


def until(what, name, seconds=20):
    """Waits for an event, bounded."""
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            raise AssertionError("waited %s s for: %s" % (seconds, name))
        time.sleep(0.002)


def main():
    module = sys.modules["__main__"]
    wanted = sys.argv[1:]
    failed = 0
    for name, run in list(vars(module).items()):
        if not name.startswith("test_") or not callable(run):
            continue
        name = name[5:]
        if wanted and name not in wanted:
            continue
        try:
            run()
            print("ok", name, flush=True)
        except Skip as why:
            print("skip %s: %s" % (name, why), flush=True)
        except BaseException as error:  # a test's end is never the script's
            failed += 1
            text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
            print("not ok %s: %s (SEED=%d)" % (name, text.strip().replace("\n", "\n  "), SEED), flush=True)
            if isinstance(error, KeyboardInterrupt):
                raise
    sys.exit(1 if failed else 0)
