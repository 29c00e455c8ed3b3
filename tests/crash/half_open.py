#!/usr/bin/python3
"""A network that drops every packet and tells nobody: both ends find out in about 30 s, and the
clients go on by another way. Two veth pairs between two network namespaces of our own."""
import os
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness  # noqa: E402
from wire import ANY, Wire  # noqa: E402

FOUND = 30   # seconds: what keepalive and TCP_USER_TIMEOUT are set to, on both ends
ENOUGH = 55  # with 10 s for an address that does not answer, on a busy machine
PORT = 5463
WAYS = "127.0.0.2", "127.0.0.3"  # the server's, one for each pair
NOWHERE = "02:00:00:00:00:99"    # nobody has this hardware address

PYTHON = """
import sys, tilia
space = tilia.space(address=sys.argv[1])
space.out("here", sys.argv[2])
if sys.argv[2] == "waits":
    print(space.in_("for", "python")[0])
else:
    space.in_("broken")
    print("put", space.out("from", "python") > 0)
"""


class Namespace:
    """It lives as long as its first process."""

    def __init__(self):
        try:
            self.process = harness.start(["unshare", "-n", "sh", "-c", "echo ready; exec sleep 600"],
                                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        except OSError as error:
            raise harness.Skip("no unshare: %s" % error)
        if self.process.stdout.readline() != b"ready\n":
            raise harness.Skip("no network namespace of our own is allowed here")

    def words(self, *argv):
        return ["nsenter", "-t", str(self.process.pid), "-n", *argv]

    def do(self, text):
        for line in text.split(";"):
            try:
                p = subprocess.run(self.words(*line.split()), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            except OSError as error:
                raise harness.Skip(str(error))
            if p.returncode:
                raise harness.Skip("%s: %s" % (line, p.stdout.decode().strip()))


def two_hosts():
    """The server's and the clients' namespace. Loopback addresses go over the pairs: tiliad has no others."""
    if os.geteuid() != 0:
        raise harness.Skip("a network namespace of our own needs root")
    there, here = Namespace(), Namespace()
    there.do("ip link set lo up")
    for i, way in enumerate(WAYS):
        there.do("ip link add s%d type veth peer name c%d netns %d" % (i, i, here.process.pid))
        for side, k in (there, 1), (here, 2):
            name = "sc"[k - 1] + str(i)
            side.do("ip addr add 10.99.%d.%d/24 dev %s;ip link set %s up;sysctl -qw net.ipv4.conf.%s.route_localnet=1"
                    % (i, k, name, name, name))
        here.do("ip route add %s/32 via 10.99.%d.1 dev c%d" % (way, i, i))
    return there, here


def drop_all(there, here):
    """Of the first pair, both ways. No link goes down, nobody is told."""
    here.do("ip neigh replace 10.99.0.1 lladdr %s dev c0 nud permanent" % NOWHERE)
    there.do("ip neigh replace 10.99.0.2 lladdr %s dev s0 nud permanent" % NOWHERE)


def test_a_half_open_peer_is_found_and_clients_go_on():
    there, here = two_hosts()
    listen = [word for way in WAYS for word in ("--listen", "tcp:%s:%d" % (way, PORT))]
    sock = os.path.join(harness.folder(), "s")
    harness.start(there.words(harness.TILIAD, "--volatile", "--listen", "unix:" + sock, *listen),
                  stderr=open(os.path.join(harness.folder(), "log"), "w"))
    harness.until(lambda: os.path.exists(sock), "tiliad is ready")
    address = ",".join("tcp:%s:%d" % (way, PORT) for way in WAYS)
    env = dict(os.environ, TILIA=address, PYTHONPATH=os.path.join(harness.ROOT, "libclient", "python"))
    w = Wire("unix:" + sock)
    script = [sys.executable, "-c", PYTHON, address]
    runs = {  # what each does once the way is broken: wait for a tuple, or put one
        "tilia waits": [harness.TILIA, "in", "for", "tool"],
        "tilia puts": ["sh", "-c", '"$1" pipe <"$2"', "sh", harness.TILIA, os.path.join(harness.folder(), "lines")],
        "Python waits": script + ["waits"],
        "Python puts": script + ["puts"],
    }
    dead = harness.start(here.words(harness.TILIA, "in", "never"), env=dict(env, TILIA=address.split(",")[0]))
    os.mkfifo(os.path.join(harness.folder(), "lines"))
    began, took, said = 0, {}, {}

    def run(name):
        p = harness.start(here.words(*runs[name]), env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said[name] = p.communicate()[0].decode()
        took[name] = time.monotonic() - began
    threads = [threading.Thread(target=run, args=(name,)) for name in runs]
    for thread in threads:
        thread.start()
    lines = open(os.path.join(harness.folder(), "lines"), "w")
    print("out here pipe", file=lines, flush=True)
    for who in "waits", "puts", "pipe":
        assert w.ask("in", "main", ["here", who], {"timeout": 20000})[1], who
    harness.until(lambda: w.ask("stats")[1]["waiting"] == 4, "four wait")
    connections = w.ask("stats")[1]["connections"]
    drop_all(there, here)
    began = time.monotonic()
    dead.kill()  # the server cannot hear of it
    w.ask("outs", "main", [["broken"], ["for", "python"], ["for", "tool"]])  # nobody can be told
    print("out from pipe", file=lines, flush=True)
    lines.close()
    for thread in threads:
        thread.join(ENOUGH)
    print("# seconds: %s" % {name: round(seconds) for name, seconds in took.items()})
    assert connections == 6, connections
    assert said == {"tilia waits": '["for", "tool"]\n', "tilia puts": "ok\nok\n", "Python waits": "for\n",
                    "Python puts": "put True\n"}, said
    assert FOUND / 3 < min(took.values()) and max(took.values()) < ENOUGH, took
    assert w.ask("count", "main", ["from", ANY]) == [0, 2] and w.ask("count", "main", None) == [0, 2]
    harness.until(lambda: w.ask("stats")[1]["connections"] == 1, "who died is found", began + ENOUGH - time.monotonic())


harness.main()
