"""What a stored item costs in memory: Tilia and other servers, filled, half drained at random
and filled again, with the same distinct texts, over sockets of their own.

A store is started, then put(first, count), take(keys) and memory() are called, then stop();
one that is kept on disk can be killed and started again.
"""
import base64
import hashlib
import os
import random
import shutil
import socket
import subprocess
import tempfile
import time

import harness
from wire import frame, resident

TEXT = 61   # characters: a tuple of one such text is 64 bytes of CBOR
LIST = 1000 # requests, or tuples of one, on their way at once


def text(i):
    """A text like no other, without anything to compress."""
    return base64.b64encode(hashlib.sha384(b"%d" % i).digest())[:TEXT]


class Store:
    name = None
    program = None    # what must be installed

    def __init__(self):
        self.folder = tempfile.mkdtemp(dir=harness.folder())
        self.path = os.path.join(self.folder, "%s.sock" % os.path.basename(self.program))
        self.process = self.start()
        self.socket = socket.socket(socket.AF_UNIX)
        harness.until(self.connected, self.name + " listens", 20)
        self.input = b""

    @classmethod
    def there(cls):
        return shutil.which(cls.program) is not None

    def spawn(self, *argv):
        return subprocess.Popen(argv, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)

    def connected(self):
        try:
            self.socket.connect(self.path)
            return True
        except OSError:
            self.socket.close()
            self.socket = socket.socket(socket.AF_UNIX)
            return False

    def send(self, requests, mark, marks):
        """Sends them in one go and reads until `marks` times `mark` has come back."""
        self.socket.sendall(b"".join(requests))
        seen = 0
        while seen < marks:
            data = self.socket.recv(1 << 20)
            assert data, self.name + " closed the connection"
            self.input += data
            seen += self.input.count(mark)
            keep = len(mark) - 1
            self.input = self.input[-keep:] if keep else b""
        assert seen == marks, (self.name, seen, marks)
        self.input = b""

    def batches(self, items):
        items = list(items)
        for at in range(0, len(items), LIST):
            yield items[at:at + LIST]

    def memory(self):
        return resident(self.process.pid)

    def answers(self):
        """Whether a server that was started again has everything."""
        raise NotImplementedError

    def save(self):
        """Before it is killed."""

    def restart(self):
        """Killed and started again: seconds until it answers."""
        self.save()
        self.socket.close()
        self.process.kill()
        self.process.wait()
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.socket = socket.socket(socket.AF_UNIX)
        started = time.perf_counter()
        self.process = self.start()
        harness.until(self.connected, self.name + " listens again", 300)
        harness.until(self.answers, self.name + " has loaded", 300)
        return time.perf_counter() - started

    def stop(self):
        self.socket.close()
        self.process.kill()
        self.process.wait()


class Tilia(Store):
    name, program = "Tilia, one index", harness.TILIAD
    number = 1 << 20 # of the next request; its head has 5 bytes

    def start(self):
        return self.spawn(harness.TILIAD, "--volatile", "--listen", "unix:" + self.path)

    def put(self, first, count):
        for batch in self.batches(range(first, first + count)):
            tuples = b"".join(b"\x81\x78\x3d" + text(i) for i in batch)
            body = b"\x84\x1a%s\x64outs\x64main\x99%s" % (self.number.to_bytes(4, "big"),
                                                          len(batch).to_bytes(2, "big")) + tuples
            self.number += 1
            self.socket.sendall(b"\x5a" + len(body).to_bytes(4, "big") + body)
            self.finish()

    def finish(self):
        """All that was asked before is answered (and durable), and read."""
        self.socket.sendall(frame(self.number, "count", "main", ["nothing"]))
        want, data = frame(self.number, 0, 0), b""
        self.number += 1
        while not data.endswith(want):
            read = self.socket.recv(1 << 20)
            assert read, "tiliad closed the connection: %r" % data
            data = (data + read)[-256:]

    def take(self, keys):
        for batch in self.batches(keys):
            requests = []
            for i in batch:
                body = (b"\x84\x1a%s\x62in\x64main\x81\x78\x3d" % self.number.to_bytes(4, "big")) + text(i)
                self.number += 1
                requests.append(b"\x58" + bytes([len(body)]) + body)
            self.socket.sendall(b"".join(requests))
            self.finish()


class TiliaStore(Tilia):
    name = "Tilia, durable (sync full)"

    def start(self):
        return self.spawn(harness.TILIAD, "--store", os.path.join(self.folder, "s.db"), "--listen", "unix:" + self.path)

    def answers(self):
        self.finish()
        return True


class Redis(Store):
    program = "redis-server"

    def start(self):
        return self.spawn("redis-server", "--port", "0", "--unixsocket", self.path, "--save", "",
                          "--appendonly", "no", "--dir", self.folder)

    @staticmethod
    def command(*words):
        return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


class RedisList(Redis):
    name = "Redis list (drained from its head)"

    def put(self, first, count):
        for batch in self.batches(range(first, first + count)):
            self.send([self.command(b"RPUSH", b"q", text(i) + b"abc") for i in batch], b"\r\n", len(batch))

    def take(self, keys):
        for batch in self.batches(keys):
            self.send([self.command(b"LPOP", b"q") for _ in batch], b"\r\n", 2 * len(batch))


class RedisSaved(RedisList):
    name = "Redis list, RDB"

    def start(self):
        return self.spawn("redis-server", "--port", "0", "--unixsocket", self.path, "--save", "3600 1",
                          "--appendonly", "no", "--dir", self.folder)

    def save(self):
        self.send([self.command(b"SAVE")], b"\r\n", 1)

    def answers(self):
        self.socket.sendall(self.command(b"PING"))
        reply = self.socket.recv(200)
        assert reply.startswith((b"+PONG", b"-LOADING")), reply
        return reply.startswith(b"+PONG")


class RedisLogged(RedisSaved):
    name = "Redis list, AOF everysec"

    def start(self):
        return self.spawn("redis-server", "--port", "0", "--unixsocket", self.path, "--save", "",
                          "--appendonly", "yes", "--auto-aof-rewrite-percentage", "0", "--dir", self.folder)

    def save(self):
        time.sleep(1.5) # it syncs once a second


class RedisStream(Redis):
    name = "Redis stream"

    def put(self, first, count):
        for batch in self.batches(range(first, first + count)):
            self.send([self.command(b"XADD", b"s", b"%d-1" % (i + 1), b"f", text(i) + b"abc") for i in batch],
                      b"\r\n", 2 * len(batch))

    def take(self, keys):
        for batch in self.batches(keys):
            self.send([self.command(b"XDEL", b"s", b"%d-1" % (i + 1)) for i in batch], b"\r\n", len(batch))


class Beanstalkd(Store):
    name, program = "beanstalkd", "beanstalkd"

    def start(self):
        return self.spawn("beanstalkd", "-l", "unix:" + self.path)

    def put(self, first, count):
        for batch in self.batches(range(first, first + count)): # its ids rise from 1
            self.send([b"put 0 0 60 64\r\n%sabc\r\n" % text(i) for i in batch], b"\r\n", len(batch))

    def take(self, keys):
        for batch in self.batches(keys):
            self.send([b"delete %d\r\n" % (i + 1) for i in batch], b"DELETED\r\n", len(batch))


class Memcached(Store):
    name, program = "memcached (value 64, key 8)", "memcached"

    def start(self):
        return self.spawn("memcached", "-s", self.path, "-m", "8192",
                          *(("-u", "root") if os.getuid() == 0 else ()))

    def put(self, first, count):
        for batch in self.batches(range(first, first + count)):
            self.send([b"set %08d 0 0 64\r\n%sabc\r\n" % (i, text(i)) for i in batch], b"STORED\r\n", len(batch))

    def take(self, keys):
        for batch in self.batches(keys):
            self.send([b"delete %08d\r\n" % i for i in batch], b"DELETED\r\n", len(batch))


PEERS = (RedisList, RedisStream, Beanstalkd, Memcached)


def measure(kind, count):
    """Bytes an item: filled; half drained and filled again."""
    store = kind()
    try:
        before = store.memory()
        store.put(0, count)
        filled = store.memory()
        store.take(random.Random(7).sample(range(count), count // 2))
        store.put(count, count // 2)
        return (filled - before) / count, (store.memory() - before) / count
    finally:
        store.stop()


def restart(kind, count):
    """Seconds until a server that was killed with so many items answers again."""
    store = kind()
    try:
        store.put(0, count)
        return store.restart()
    finally:
        store.stop()
