"""A relay between clients and a server that breaks connections at any byte, in several ways."""
import os
import random
import select
import socket
import threading
import time


class BadNet(threading.Thread):
    """Listens at .address; each connection lives for a random number of bytes, then one of:

    cut     both sides are closed at once
    deaf    the server's replies get lost from some byte on; then both sides are closed
    late    the client is cut off; what it had sent reaches the server later, then the end
    stall   nothing moves for a while, no end is told; then as `late`
    """

    KINDS = "cut", "deaf", "late", "stall"

    def __init__(self, path, server, seed, most=20000):
        super().__init__(daemon=True)
        self.server, self.most = server, most
        self.random = random.Random(seed)
        self.address = "unix:" + path
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(100)
        self.broken = dict.fromkeys(self.KINDS, 0)
        self.good = False  # from now on nothing breaks
        self.lock = threading.Lock()
        self.start()

    def run(self):
        while True:
            client = self.listener.accept()[0]
            with self.lock:
                seed = self.random.random()
            threading.Thread(target=self.serve, args=(client, random.Random(seed)), daemon=True).start()

    def serve(self, client, rng):
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(self.server)
        except OSError:
            client.close()
            return
        kind = rng.choice(self.KINDS)
        left = int(rng.random() ** 2 * self.most)
        try:
            if self.pump(client, server, rng, left):
                with self.lock:
                    self.broken[kind] += 1
                getattr(self, kind)(client, server, rng)
        except OSError:
            pass
        client.close()
        server.close()

    def pump(self, client, server, rng, left):
        """Moves bytes, in pieces. True when it is time to break, False at an end."""
        other = {client: server, server: client}
        while left > 0 or self.good:
            for one in select.select([client, server], [], [])[0]:
                data = one.recv(rng.choice((1, 7, 100, 65536)))
                if not data:
                    return False
                left -= len(data)
                other[one].sendall(data)
        return True

    def cut(self, client, server, rng):
        pass

    def deaf(self, client, server, rng):
        end = time.monotonic() + rng.random() * 0.05
        while time.monotonic() < end:
            for one in select.select([client, server], [], [], 0.01)[0]:
                data = one.recv(65536)
                if not data:
                    return
                if one is client:
                    server.sendall(data)

    def late(self, client, server, rng):
        data = b""
        while select.select([client], [], [], 0.002)[0]:
            piece = client.recv(65536)
            if not piece:
                break
            data += piece
        client.close()
        time.sleep(rng.random() ** 2 * 0.3)
        server.sendall(data)
        time.sleep(rng.random() * 0.05)

    def stall(self, client, server, rng):
        time.sleep(rng.random() * 0.1)
        self.late(client, server, rng)
