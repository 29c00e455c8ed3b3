#!/usr/bin/python3
"""Nothing is left a second after the death of launcher, ssh or hub, whatever the workers are up to."""
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import places
from places import check, equal, harness, script

# Worker 0 ignores what can be ignored, 1 is stopped, 2 has a grandchild in a session of its own
# that ignores the same, 3 computes and never reads.
WORKERS = """\
import os, signal, subprocess, sys, time, tilia
print("ready", tilia.run, flush=True)
for number in signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE:
    signal.signal(number, signal.SIG_IGN)
if tilia.rank == 1:
    os.kill(os.getpid(), signal.SIGSTOP)
if tilia.rank == 2:
    subprocess.Popen([sys.executable, "-c", "import time; print('grandchild', flush=True); time.sleep(600)"],
                     start_new_session=True, stdin=subprocess.DEVNULL)
if tilia.rank == 3:
    while True:
        pass
time.sleep(600)
"""


class Started:
    """A run whose workers are all at it, and its processes by what they are."""

    def __init__(self, on="4/web1", env=None):
        self.p = places.begin("--on", on, script(WORKERS), env=env or places.fake_ssh())
        lines = [self.p.stdout.readline().decode() for _ in range(5)]
        self.run = [line.split()[-1] for line in lines if "ready" in line][0]
        found = places.marked(self.run)
        equal(len(found), 7, found)  # guardian, hub, 4 workers, grandchild
        self.guardian, = [pid for pid in found if places.parent(pid) not in found and "sleep" not in found[pid]]
        self.hub, = [pid for pid in found if places.parent(pid) == self.guardian]

    def kill(self, pid, number=signal.SIGKILL):
        self.since = time.monotonic()
        os.kill(pid, number)

    def gone(self):
        places.gone(self.run, self.since)


def after_death_of(which, **kw):
    s = Started(**kw)
    s.kill({"launcher": s.p.pid, "hub": s.hub, "guardian": s.guardian}[which])
    s.gone()
    out, err = s.p.communicate(timeout=10)
    if which != "launcher":
        equal(s.p.returncode, 5, err)
        check(b"web1: ended" in err or b"web1: ssh failed" in err, err)


def test_the_launcher_is_killed():
    after_death_of("launcher")


def test_the_hub_is_killed():
    after_death_of("hub")


def test_the_guardian_is_killed():
    after_death_of("guardian")


def test_a_private_server_ends_with_a_killed_launcher():
    env = places.environment()
    p = places.begin("--on", "local", script("import time; print('ready'); time.sleep(600)"), env=env)
    check(p.stdout.readline())
    equal(len(os.listdir(env["XDG_RUNTIME_DIR"])), 1)
    p.kill()
    p.wait()
    harness.until(lambda: not os.listdir(env["XDG_RUNTIME_DIR"]), "the private server is gone", 5)


def test_a_real_ssh_is_killed():
    s = Started(env=places.sshd())
    client, = [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if is_ssh_of(pid, s.p.pid)]
    s.kill(client)
    s.gone()
    out, err = s.p.communicate(timeout=10)
    equal(s.p.returncode, 5, err)


def is_ssh_of(pid, launcher):
    try:
        with open("/proc/%d/comm" % pid) as file:
            return places.parent(pid) == launcher and file.read() == "ssh\n"
    except OSError:
        return False


def test_the_launcher_over_a_real_ssh_is_killed():
    after_death_of("launcher", env=places.sshd())


def test_the_hub_over_a_real_ssh_is_killed():
    after_death_of("hub", env=places.sshd())


def test_the_hub_is_stopped_and_the_launcher_killed():
    s = Started()
    os.kill(s.hub, signal.SIGSTOP)
    s.kill(s.p.pid)
    s.gone()
    s.p.wait()


def test_the_end_of_a_run_leaves_no_grandchildren():
    p = places.begin("--on", "2/local", script("""\
        import subprocess, sys, tilia
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
        print("ready", tilia.run)
        """))
    out, err = p.communicate(timeout=20)
    equal(p.returncode, 0, err)
    places.gone(out.decode().split()[-1], time.monotonic())


def test_a_term_to_the_launcher_ends_everything():
    s = Started(on="4/local")
    s.kill(s.p.pid, signal.SIGTERM)
    s.gone()
    s.p.communicate(timeout=10)
    equal(s.p.returncode, 130)


def test_a_reader_that_goes_away_ends_the_run():
    p = places.begin("--on", "2/local", script("""\
        import sys, time, tilia
        print(tilia.run)
        while True:
            print("text")
            time.sleep(0.01)
        """))
    run = p.stdout.readline().decode().split()[-1]
    p.stdout.close()
    places.gone(run, time.monotonic(), 2)
    p.wait()


if __name__ == "__main__":
    harness.main()
