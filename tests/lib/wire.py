"""A client of 60 lines that knows only docs/protocol.md and python3-cbor2: for tests that
must send what no library would."""
import io
import select
import socket
import struct
import time

import cbor2

ANY = cbor2.CBORTag(21580, None)


def formal(name):
    return cbor2.CBORTag(21580, name)


def head(n):
    """The head of a byte string of n bytes."""
    if n < 24:
        return bytes([0x40 + n])
    for info, size, fmt in ((24, 1 << 8, ">B"), (25, 1 << 16, ">H"), (26, 1 << 32, ">I")):
        if n < size:
            return bytes([0x40 + info]) + struct.pack(fmt, n)
    return b"\x5b" + struct.pack(">Q", n)


def frame(*message):
    body = cbor2.dumps(list(message), canonical=True)
    return head(len(body)) + body


class Wire:
    """One connection. Bytes and frames go out; messages come in."""

    def __init__(self, address):
        kind, rest = address.split(":", 1)
        if kind == "unix":
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.connect(rest)
        else:
            host, port = rest.rsplit(":", 1)
            self.sock = socket.create_connection((host, int(port)))
        self.input = b""
        self.number = 0

    def raw(self, data):
        self.sock.sendall(data)

    def send(self, *request):
        """Sends a request under the next number and answers the number."""
        self.number += 1
        self.raw(frame(self.number, *request))
        return self.number

    def receive(self, seconds=20):
        """The next message, or None at the end of the stream."""
        end = time.monotonic() + seconds
        while True:
            source = io.BytesIO(self.input)
            try:
                message = cbor2.CBORDecoder(source).decode()
                self.input = self.input[source.tell():]
                return cbor2.loads(message)
            except cbor2.CBORDecodeEOF:
                pass
            left = end - time.monotonic()
            if left <= 0 or not self.readable(left):
                raise AssertionError("no message in %s s" % seconds)
            try:
                data = self.sock.recv(1 << 20)
            except ConnectionResetError:
                data = b""
            if not data:
                assert not self.input, "the stream ends inside a frame: %r" % self.input
                return None
            self.input += data

    def ask(self, *request):
        """Sends a request and answers its reply, without the number."""
        n = self.send(*request)
        reply = self.receive()
        assert reply and reply[0] == n, "asked %d, answered %r" % (n, reply)
        return reply[1:]

    def silent(self, seconds=0.05):
        """Whether nothing comes."""
        return not self.input and not self.readable(seconds)

    def readable(self, seconds):
        poll = select.poll()  # select() knows no descriptor above 1023
        poll.register(self.sock, select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    def close(self):
        self.sock.close()


def descriptors(wanted):
    """Raises the soft limit of descriptors; whether `wanted` are possible."""
    import resource
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        return False
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return True


def resident(pid):
    """Bytes of memory of a process that are its own."""
    with open("/proc/%d/smaps_rollup" % pid) as f:
        return sum(int(line.split()[1]) * 1024 for line in f
                   if line.startswith(("Private_Clean", "Private_Dirty")))
