"""A server and the clients that put and take there, for the crash tests."""
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

import harness
from ledger import Ledger
from wire import Wire

WORKER = os.path.join(harness.BUILD, "tests", "crash", "worker")
PY_WORKER = os.path.join(harness.ROOT, "tests", "lib", "worker.py")


def preload(name):
    """The environment of a server that runs with build/tests/crash/NAME.so before it."""
    path = os.path.join(harness.BUILD, "tests", "crash", name + ".so")
    assert os.path.exists(path), path
    return dict(os.environ, LD_PRELOAD=path)


class Fleet:
    """`kinds`: a text of one letter a client: c (C, one request at a time), C (several at once),
    n and N (the same without sessions), p (Python), P (Python, three threads)."""

    def __init__(self, kinds, *args, env=None, seed=0, volatile=False):
        self.random = random.Random(harness.SEED * 1000 + seed)
        self.seed = harness.SEED * 1000 + seed
        self.folder = tempfile.mkdtemp(dir=harness.folder())
        self.store = os.path.join(self.folder, "store.db")
        self.args, self.env, self.kinds = args, env or dict(os.environ), kinds
        self.sock = os.path.join(self.folder, "s")
        self.server = None
        self.start()
        self.logs = []
        self.clients = []
        self.kills = 0

    def start(self, wait=True):
        self.server = harness.tiliad("--store", self.store, *self.args, sock=self.sock, wait=wait, env=self.env)

    def server_log(self):
        with open(self.sock + ".log") as f:
            return f.read()

    def man(self, address=None):
        for kind in self.kinds:
            self.join(kind, address)

    def join(self, kind, address=None):
        """One more client."""
        i = len(self.clients)
        log = os.path.join(self.folder, "%d.%s" % (i, kind))
        depth = 1 + self.random.randrange(40) if kind in "CN" else 3 if kind == "P" else 0
        argv = [sys.executable, PY_WORKER] if kind in "pP" else [WORKER]
        argv += [address or self.server.address, str(i + 1), str(self.seed), str(depth), log]
        if kind in "nN":
            argv.append("none")
        self.logs.append(log)
        open(log, "w").close()
        self.clients.append(harness.start(argv, stdin=subprocess.PIPE, stderr=open(log + ".err", "w")))
        return self.clients[-1]

    def sizes(self):
        return [os.path.getsize(log) for log in self.logs]

    def running(self):
        for client, log in zip(self.clients, self.logs):
            if client.poll() is not None and client.returncode != -signal.SIGKILL:
                with open(log + ".err") as f:
                    raise AssertionError("%s ended with %s: %s" % (log, client.returncode, f.read()))
        if self.server.poll() is not None:
            raise AssertionError("tiliad ended with %s: %s" % (self.server.returncode, self.server_log()[-2000:]))
        return True

    def progress(self, each=60, seconds=60):
        """Waits until every living client wrote `each` bytes more: it is served."""
        before = self.sizes()

        def done():
            self.running()
            return all(now >= then + each or client.poll() is not None
                       for then, now, client in zip(before, self.sizes(), self.clients))
        harness.until(done, "every client goes on", seconds)

    def kill(self):
        self.server.kill()
        self.server.wait(20)
        self.kills += 1

    def cycle(self):
        """Serves for a while, dies, comes back; now and then it dies while it starts."""
        self.progress()
        time.sleep(self.random.random() ** 2 * 0.1)
        self.kill()
        while self.random.random() < 0.15:
            self.start(wait=False)
            time.sleep(self.random.random() * 0.03)
            self.kill()
        time.sleep(self.random.random() * 0.03)
        self.start()

    def end(self):
        """The clients finish, the rest is taken: the books."""
        for client in self.clients:
            if client.poll() is None:
                client.stdin.close()
        for client, log in zip(self.clients, self.logs):
            try:
                client.wait(60)
            except subprocess.TimeoutExpired:
                raise AssertionError("%s does not end: %s" % (log, self.server_log()[-1000:]))
        return Ledger(self.logs, self.drain())

    def drain(self):
        """Takes all there is: (key, id) of each."""
        w = Wire(self.server.address)
        left = []
        while True:
            reply = w.ask("in", "main", None, {"timeout": 0, "max": 1000})
            assert reply[0] == 0, reply
            if not reply[1]:
                w.close()
                return left
            left += [(row[1][2], row[0]) for row in reply[1]]

    def stop(self):
        self.server.send_signal(signal.SIGTERM)
        assert self.server.wait(60) == 0, self.server_log()[-2000:]
