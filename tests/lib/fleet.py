"""A server and the clients that put and take there, for the crash tests."""
import itertools
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
    n and N (the same without sessions), p (Python), P (Python, three threads); a, A, y, Y are c, C, p, P
    with claims and atomics, too. A run of r is as many y under one `tilia run`."""

    def __init__(self, kinds, *args, env=None, seed=0, volatile=False):
        self.random = random.Random(harness.SEED * 1000 + seed)
        self.seed = harness.SEED * 1000 + seed
        self.folder = tempfile.mkdtemp(dir=harness.folder())
        self.store = os.path.join(self.folder, "store.db")
        self.args, self.env, self.kinds = args, env or dict(os.environ), kinds
        self.sock = os.path.join(self.folder, "s")
        self.stop_file = os.path.join(self.folder, "stop")
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
        for kind, same in itertools.groupby(self.kinds):
            if kind == "r":
                self.launch(len(list(same)))
            else:
                for _ in same:
                    self.join(kind, address)

    def join(self, kind, address=None):
        """One more client."""
        i = len(self.clients)
        log = os.path.join(self.folder, "%d.%s" % (i, kind))
        depth = 1 + self.random.randrange(40) if kind in "CNA" else 3 if kind in "PY" else 0
        argv = [sys.executable, PY_WORKER] if kind in "pPyY" else [WORKER]
        argv += [address or self.server.address, str(i + 1), str(self.seed), str(depth), log]
        if kind in "nN":
            argv.append("none")
        elif kind in "aAyY":
            argv.append("all")
        self.logs.append(log)
        open(log, "w").close()
        self.clients.append(harness.start(argv, stdin=subprocess.PIPE, stderr=open(log + ".err", "w")))
        return self.clients[-1]

    def launch(self, n):
        """So many workers of one launcher, over its connection."""
        first = len(self.clients)
        logs = [os.path.join(self.folder, "%d.r" % (first + i)) for i in range(n)]
        for log in logs:
            open(log, "w").close()
        argv = [harness.TILIA, "run", "--on", "%d/local" % n, PY_WORKER, "", str(first + 1), str(self.seed), "1",
                os.path.join(self.folder, "%.r"), "all", self.stop_file]
        launcher = harness.start(argv, env=dict(os.environ, TILIA=self.server.address), stdin=subprocess.PIPE,
                                 stderr=open(logs[0] + ".err", "w"))
        self.logs += logs
        self.clients += [launcher] * n

    def sizes(self):
        return [os.path.getsize(log) for log in self.logs]

    def running(self):
        for client, log in zip(self.clients, self.logs):
            if client.poll() is not None and client.returncode != -signal.SIGKILL:
                raise AssertionError("%s ended with %s: %s" % (log, client.returncode, self.said(client)))
        if self.server.poll() is not None:
            raise AssertionError("tiliad ended with %s: %s" % (self.server.returncode, self.server_log()[-2000:]))
        return True

    def said(self, client):
        with open(self.logs[self.clients.index(client)] + ".err") as f:
            return f.read()

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
        open(self.stop_file, "w").close()
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
