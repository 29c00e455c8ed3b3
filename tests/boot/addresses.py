#!/usr/bin/python3
"""Lists of servers, cmd: and ssh: addresses: work goes on when what stands behind them breaks, in C,
in Python and in the tools. The clients are those of the crash tests: no retry code, and books."""
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import places
from places import harness
from fleet import Fleet

ROUNDS = 30 if os.environ.get("SOAK") else 4


def children(pid):
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % name) as file:
                text = file.read()
        except OSError:  # it ended meanwhile
            continue
        if int(text[text.rindex(")") + 2:].split()[1]) == pid:
            found.append(int(name))
    return found


def break_all(pid):
    """Kills what a client started to reach the server: how many."""
    found = children(pid)
    for child in found:
        try:
            os.kill(child, signal.SIGKILL)
        except ProcessLookupError:
            pass
    return len(found)


class Pipe:
    """`tilia pipe`: what it puts it takes, whatever breaks meanwhile."""

    def __init__(self, address, env):
        self.count = 0
        self.process = harness.start([harness.TILIA, "pipe", "--connect", address], env=env, stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE)

    def ask(self, line, reply):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        got = self.process.stdout.readline().decode().rstrip("\n")
        assert got == reply, (line, got)

    def work(self):
        for _ in range(5):
            self.count += 1
            self.ask("out tool %d" % self.count, "ok")
            self.ask("in tool :int", "ok tool %d" % self.count)

    def end(self):
        self.process.stdin.close()
        assert self.process.wait(60) == 0


def goes_on(fleet, address, breaks):
    """breaks(clients) is called between some work of all clients: C and Python with books, and a tool."""
    fleet.man(address)
    pipe = Pipe(address, os.environ)
    for _ in range(ROUNDS):
        fleet.progress()
        pipe.work()
        breaks(fleet.clients + [pipe.process])
    fleet.progress()
    pipe.work()
    pipe.end()
    ledger = fleet.end()
    print("# %s" % ledger, flush=True)
    assert ledger.faults() == [] and ledger.wrong == [] and not ledger.doubt, (ledger.faults(), ledger.wrong[:9])
    assert set(ledger.ends.values()) == {0}, ledger.ends
    fleet.stop()


def test_a_server_that_comes_back_at_another_address_of_the_list():
    fleet = Fleet("aAyY", seed=41)
    socks = [fleet.sock + str(i) for i in range(2)]
    fleet.kill()

    def move(clients):
        if fleet.server.poll() is None:
            fleet.kill()
            os.unlink(fleet.sock)
        socks.reverse()
        fleet.sock = socks[0]
        fleet.start()
    move([])
    goes_on(fleet, "unix:%s/none,unix:%s,unix:%s" % (fleet.folder, *socks), move)


def cut(clients):
    """Twice in a row: the second time while they connect."""
    assert sum(break_all(client.pid) for client in clients) >= len(clients)
    time.sleep(0.05)
    for client in clients:
        break_all(client.pid)


def test_a_program_that_dies():
    fleet = Fleet("aAyY", seed=42)
    goes_on(fleet, "cmd:%s relay --connect %s" % (harness.TILIA, fleet.server.address), cut)


def test_an_ssh_that_dies():
    fleet = Fleet("aAy", seed=43)
    env = places.sshd("SetEnv PATH=%s:/usr/bin:/bin TILIA=%s" % (harness.BUILD, fleet.server.address))
    os.environ["PATH"] = env["PATH"]
    goes_on(fleet, "unix:%s/none,ssh:web1" % fleet.folder, cut)


if __name__ == "__main__":
    harness.main()
