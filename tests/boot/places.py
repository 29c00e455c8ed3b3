"""What the tests of `tilia run` share: running it, stand-ins for ssh, and a real sshd."""
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import textwrap
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness


def folder():
    return tempfile.mkdtemp(dir=harness.folder())


def write(name, text, where=None, mode=0o644):
    """A file; text is dedented. Gives its path."""
    path = os.path.join(where or folder(), name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(text if isinstance(text, bytes) else textwrap.dedent(text).encode())
    os.chmod(path, mode)
    return path


def script(text, name="script.py"):
    return write(name, text)


def environment(**more):
    """No server but the one named, a socket folder of this test's own."""
    env = dict(os.environ, XDG_RUNTIME_DIR=folder(), PYTHONDONTWRITEBYTECODE="1")
    env.pop("TILIA", None)
    env.update({k: v for k, v in more.items() if v is not None})
    return env


def argv(*args):
    return [harness.TILIA, "run"] + [str(a) for a in args]


def run(*args, env=None, input=b"", timeout=60, **kw):
    """Runs `tilia run` to its end; stdout and stderr as text."""
    p = subprocess.run(argv(*args), input=input, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       env=env or environment(), timeout=timeout, start_new_session=True, **kw)
    p.out, p.err = p.stdout.decode("utf-8", "replace"), p.stderr.decode("utf-8", "replace")
    return p


def begin(*args, env=None, **kw):
    """Starts `tilia run`, in a process group of its own."""
    return harness.start(argv(*args), env=env or environment(), stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, **kw)


def check(condition, *what):
    if not condition:
        raise AssertionError(" ".join(map(str, what)))


def equal(got, want, *what):
    check(got == want, *what, "got", repr(got), "instead of", repr(want))


# Processes that carry TILIA_RUN.


def marked(run):
    """{pid: command line} of all living processes of that run (tilia.run)."""
    mark = b"TILIA_RUN=" + run.encode() + b"."
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/environ" % pid, "rb") as file:
                if not any(part.startswith(mark) for part in file.read().split(b"\0")):
                    continue
            with open("/proc/%s/cmdline" % pid, "rb") as file:
                line = file.read().replace(b"\0", b" ").decode("utf-8", "replace")
            with open("/proc/%s/stat" % pid) as file:
                state = file.read().rpartition(")")[2].split()[0]
            if state != "Z":
                found[int(pid)] = line[-60:]
        except OSError:
            pass
    return found


def gone(run, since, within=1):
    """Nothing of that run is left, `within` seconds after `since` (monotonic)."""
    try:
        harness.until(lambda: not marked(run), "nothing is left", 5)
    except AssertionError:
        left = marked(run)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        raise AssertionError("still there after 5 s: %s" % left)
    seconds = time.monotonic() - since
    check(seconds < within, "it took %.2f s" % seconds)


def parent(pid):
    with open("/proc/%d/stat" % pid) as file:
        return int(file.read().rpartition(")")[2].split()[1])


# Stand-ins for ssh, to be found in PATH before the real one.


def path_with(*programs):
    """A PATH that begins with a folder of these programs: {name: text} or name of a real one."""
    where = folder()
    for program in programs:
        name, text = program
        if text.startswith("/"):
            os.symlink(text, os.path.join(where, name))
        else:
            write(name, text, where, 0o755)
    return where


def fake_ssh(shell="/bin/sh", before=":", path=None, log=None):
    """An ssh that gives its last argument to a login shell on this host. `before`: sh text that
    runs first on the same stdin and stdout, as banners and rc files do. `path`: PATH there."""
    body = "#!/bin/sh\nfor last; do :; done\n"
    if log:
        body += 'for word; do printf "%%s\\n" "$word"; done >> %s\n' % log
    body += before + "\n"
    if path:
        body += "PATH=%s; export PATH\n" % path
    body += 'exec %s -c "$last"\n' % shell
    where = path_with(("ssh", body))
    return environment(PATH=where + ":" + os.environ["PATH"])


def find(program):
    path = shutil.which(program, path="/usr/bin:/bin:/usr/sbin:/sbin:" + os.environ.get("PATH", ""))
    if not path:
        raise harness.Skip("there is no %s here" % program)
    return path


# A real sshd on loopback with throw-away keys.

_sshd = None


def sshd(more=""):
    """The environment in which ssh reaches it, whatever the host's name. `more`: one more line of
    its configuration, of the first call in a script."""
    global _sshd
    if _sshd:
        return environment(PATH=_sshd)
    daemon, keygen, client = find("sshd"), find("ssh-keygen"), find("ssh")
    where = folder()
    if os.getuid() == 0:
        os.makedirs("/run/sshd", exist_ok=True)
    for key in "host", "user":
        subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", os.path.join(where, key)], check=True)
    shutil.copy(os.path.join(where, "user.pub"), os.path.join(where, "authorized"))
    probe = socket.socket()
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
    probe.close()
    config = write("sshd_config", """\
        Port %d
        ListenAddress 127.0.0.1
        HostKey %s/host
        AuthorizedKeysFile %s/authorized
        StrictModes no
        UsePAM no
        PidFile none
        AllowTcpForwarding yes
        PermitRootLogin yes
        %s
        """ % (port, where, where, more), where)
    server = harness.start([daemon, "-D", "-e", "-f", config], stderr=open(where + "/log", "wb"))
    client_config = write("ssh_config", """\
        Host *
            HostName 127.0.0.1
            Port %d
            IdentityFile %s/user
            IdentitiesOnly yes
            UserKnownHostsFile %s/known
            StrictHostKeyChecking no
            LogLevel ERROR
            BatchMode yes
        """ % (port, where, where), where)
    programs = path_with(("ssh", '#!/bin/sh\nexec %s -F %s "$@"\n' % (client, client_config)))
    path = programs + ":" + os.environ["PATH"]

    def answers():
        if server.poll() is not None:
            raise harness.Skip("sshd does not run here: " + open(where + "/log").read()[-300:])
        return subprocess.run(["ssh", "there", "true"], env=dict(os.environ, PATH=path),
                              stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    try:
        harness.until(answers, "sshd answers", 10)
    except AssertionError as why:
        raise harness.Skip("sshd does not let us in: %s; %s" % (why, open(where + "/log").read()[-300:]))
    _sshd = path
    return environment(PATH=path)
