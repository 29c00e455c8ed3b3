"""Runs `tilia` in the tests of the command line."""
import os
import subprocess

import harness


class Cli:
    """A volatile server of its own and what is asked of it."""

    def __init__(self, *args):
        self.server = harness.tiliad(*args)
        self.env = dict(os.environ, TILIA=self.server.address)

    def start(self, *args, **kw):
        kw.setdefault("stdout", subprocess.PIPE)
        kw.setdefault("stderr", subprocess.PIPE)
        kw.setdefault("stdin", subprocess.DEVNULL)
        return harness.start([harness.TILIA, *args], env=self.env, **kw)

    def run(self, *args, stdin=b"", **kw):
        """(exit status, stdout, stderr)"""
        p = self.start(*args, stdin=subprocess.PIPE, **kw)
        out, err = p.communicate(stdin, timeout=60)
        return p.returncode, out, err

    def ok(self, *args, stdin=b"", **kw):
        """stdout of a command that must succeed without a word."""
        status, out, err = self.run(*args, stdin=stdin, **kw)
        assert (status, err) == (0, b""), (args, status, out, err)
        return out

    def refused(self, status, *args, **kw):
        """stderr of a command that must fail so."""
        got, out, err = self.run(*args, **kw)
        assert got == status, (args, got, out, err)
        return err.decode()

    def waiting(self):
        """How many requests wait in the server."""
        for line in self.ok("stats").decode().splitlines():
            if line.startswith("waiting "):
                return int(line.split()[1])
        raise AssertionError("stats has no waiting")

    def until_waiting(self, n):
        harness.until(lambda: self.waiting() == n, "%d waiting requests" % n)

    def count(self, *template):
        return int(self.ok("count", *template))
