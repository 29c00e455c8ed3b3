"""The far side of the trunk (docs/trunk.md): guardian, hub, workers, importer.

Shipped in the payload behind tilia/__init__.py and run by the first stage, which calls main().
Needs Python 3.6 and nothing else. One thread; every descriptor is a bare number, so that
nothing closes one behind our back after a fork.
"""
import _thread
import importlib._bootstrap_external as bootstrap
import linecache
import os
import select
import signal
import socket
import sys
import time
import types

OP, OUT, ERR, LOG, EXIT, FILE, IMPORT, CONTROL, CREDIT = range(9)
PIECE = 1 << 16
WINDOW = 1 << 20
IGNORED = signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM


def frame(*item):
    return tilia.encode(tilia.encode(list(item)))


def unframe(data):
    """Takes the first frame out of a bytearray: its item, or None."""
    if data:
        head, size = 1, data[0] - 64
        if size > 23:
            head += 1 << size - 24
            size = int.from_bytes(data[1:head], "big")
        if len(data) >= head + size:
            item = tilia.decode(bytes(data[head:head + size]))
            del data[:head + size]
            return item


class Stream:
    """One descriptor of a worker, with what waits to be written to it."""

    def __init__(self, fd, kind, worker):
        self.fd = fd
        self.kind = kind
        self.worker = worker
        self.data = bytearray()
        self.request = bytearray()
        os.set_blocking(fd, False)


class Worker:
    """A forked interpreter: its streams, its credit, its end."""

    def __init__(self, channel):
        self.channel = channel
        self.credit = [WINDOW] * 2  # of OP and of OUT (with ERR)
        self.taken = 0
        self.op = self.end = None
        self.streams = []


class Hub:
    def __init__(self, guard):
        self.trunk = os.dup(0), os.dup(1)
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        os.dup2(2, 1)
        self.guard = guard
        self.wake = os.pipe()
        for fd in self.trunk + self.wake:  # SIGPIPE is ignored already, by Python
            os.set_blocking(fd, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self.wake[1])
        self.poll = select.poll()
        self.wanted = {}
        self.first = []  # operations and control: overtake
        self.text = []
        self.held = 0  # bytes of text in there
        self.out = b""
        self.down = bytearray()
        self.workers = {}
        self.ending = []  # those that are dead, but not all they said is read
        self.changed = set()  # streams whose wishes are to be told to poll()
        self.full = False
        self.pids = {}
        self.streams = {}
        self.parts = {}  # imports and files: answers as they come
        self.known = {}  # whole ones, framed
        self.asked = {}  # and who waits for them
        self.turn = 0

    def send(self, channel, kind, data):
        data = frame(channel, kind, tilia.encode(data) if kind > ERR else data)
        if kind in (OUT, ERR, EXIT):
            self.held += len(data)
            self.text.append(data)
        else:
            self.first.append(data)

    def want(self, fd, events):
        if self.wanted.get(fd) != events:
            self.wanted[fd] = events
            if events is None:
                self.poll.unregister(fd)
            else:
                self.poll.register(fd, events)

    def flush(self):
        """Writes upward until the trunk is full."""
        while True:
            while self.first and len(self.out) < PIECE:
                self.out += self.first.pop(0)
            if not self.out and self.text:
                self.out = self.text.pop(0)
                self.held -= len(self.out)
            if not self.out:
                return
            try:
                self.out = self.out[os.write(self.trunk[1], self.out):]
            except BlockingIOError:
                return

    def run(self):
        self.send(0, CONTROL, ["hello", sys.version])
        while True:
            self.flush()
            self.watch()
            ready = self.poll.poll(50 if self.ending else None)
            self.turn += 1
            turn = self.turn % len(ready) if ready else 0
            for fd, events in ready[turn:] + ready[:turn]:
                if fd == self.trunk[0]:
                    self.receive()
                elif fd == self.wake[0]:
                    os.read(fd, 512)
                elif fd in self.streams:
                    self.move(self.streams[fd], events)
                elif events & ~select.POLLOUT:  # the trunk is broken, or the guardian dead
                    raise EOFError
            self.reap()

    def watch(self):
        """Tells poll() what can be moved now. A hang-up of what is not wanted must not spin."""
        self.want(self.trunk[0], select.POLLIN)
        self.want(self.wake[0], select.POLLIN)
        self.want(self.guard, 0)
        self.want(self.trunk[1], select.POLLOUT if self.out else 0)
        if self.full != (self.held >= PIECE):
            self.full = not self.full
            self.changed.update(self.streams.values())
        for stream in self.changed:
            events = select.POLLIN if self.may_read(stream) else 0
            if stream.data:
                events |= select.POLLOUT
            self.want(stream.fd, events or None)
        self.changed.clear()

    def may_read(self, stream):
        if stream.kind in (OUT, ERR):
            return stream.worker.credit[OUT] > 0 and self.held < PIECE
        return stream.kind == CONTROL or stream.worker.credit[OP] > 0

    def move(self, stream, events):
        worker = stream.worker
        self.changed.add(stream)
        try:
            if events & select.POLLOUT and stream.data:
                n = os.write(stream.fd, stream.data[:4 * PIECE])
                del stream.data[:n]
                if stream.kind == OP:
                    self.take(worker, n)
            if not events & ~select.POLLOUT or not self.may_read(stream):
                return
            data = os.read(stream.fd, PIECE if stream.kind == OP else PIECE // 4)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            return self.close(stream)
        if worker.end:
            worker.end = time.monotonic() + 0.2
        if stream.kind == CONTROL:
            stream.request += data
            kind_name = unframe(stream.request)
            while kind_name:
                self.ask(stream, *kind_name)
                kind_name = unframe(stream.request)
        else:
            worker.credit[stream.kind > 0] -= len(data)
            self.send(worker.channel, stream.kind, data)

    def put(self, stream, data):
        stream.data += data
        self.changed.add(stream)

    def take(self, worker, n):
        """The worker took (or will never take) n bytes of op: credit for as many more."""
        worker.taken += n
        if worker.taken >= WINDOW // 4:
            self.send(worker.channel, CREDIT, [OP, worker.taken])
            worker.taken = 0

    def close(self, stream):
        self.changed.discard(stream)
        self.want(stream.fd, None)
        del self.streams[stream.fd]
        stream.worker.streams.remove(stream)
        os.close(stream.fd)

    def ask(self, stream, kind, name):
        """A worker asks for a module or a file: the launcher is asked once."""
        key = kind, name
        if key in self.known:
            self.put(stream, self.known[key])
        elif key in self.asked:
            self.asked[key].append(stream)
        else:
            self.asked[key] = [stream]
            self.parts[key] = bytearray()
            self.send(0, kind, name)

    def answer(self, kind, name, data, last):
        key = kind, name
        self.parts[key] += data
        if last is not False:
            self.known[key] = frame(self.parts.pop(key) if last else None)
            for stream in self.asked.pop(key):
                self.put(stream, self.known[key])

    def receive(self):
        try:
            data = os.read(self.trunk[0], 4 * PIECE)
        except BlockingIOError:
            return
        if not data:
            raise EOFError
        self.down += data
        item = unframe(self.down)
        while item:
            channel, kind, data = item
            worker = self.workers.get(channel)
            if kind == OP:
                if worker.op in worker.streams:
                    self.put(worker.op, data)
                else:
                    self.take(worker, len(data))
            else:
                self.obey(worker, kind, *tilia.decode(data))
            item = unframe(self.down)

    def obey(self, worker, kind, *item):
        if kind == CREDIT:
            worker.credit[item[0]] += item[1]
            self.changed.update(worker.streams)
        elif kind != CONTROL:
            self.answer(kind, *item)
        elif item[0] == "start":
            for channel, rank in enumerate(item[1]["ranks"], 1):
                self.fork(channel, rank, item[1])
        elif item[0] == "signal":
            os.killpg(0, item[1])
        elif worker.op in worker.streams:  # close
            self.close(worker.op)

    def fork(self, channel, rank, start):
        """One worker. Its side of the streams becomes fds 1 to 4."""
        worker = self.workers[channel] = Worker(channel)
        ours, theirs = [], []
        try:
            for kind in OP, CONTROL, OUT, ERR:
                a, b = [s.detach() for s in socket.socketpair()] if kind in (OP, CONTROL) else os.pipe()
                ours.append(a)
                theirs.append(b)
            pid = os.fork()
        except OSError as error:
            for fd in ours + theirs:
                os.close(fd)
            self.send(0, LOG, "no worker %d: %s" % (rank, error))
            self.send(channel, EXIT, 1)
            return
        if not pid:
            try:
                for fd in ours:
                    os.close(fd)
                high = [os.dup(fd) for fd in theirs]
                for fd, place in zip(high, (3, 4, 1, 2)):
                    os.dup2(fd, place, place < 3)
                # all workers are forked before anything is closed: these are the highest
                os.closerange(5, max(theirs) + 1)
                work(start, rank)
            except OSError:
                os._exit(1)
        for fd in theirs:
            os.close(fd)
        self.pids[pid] = worker
        for fd, kind in zip(ours, (OP, CONTROL, OUT, ERR)):
            stream = self.streams[fd] = Stream(fd, kind, worker)
            worker.streams.append(stream)
        self.changed.update(worker.streams)
        worker.op = worker.streams[0]

    def reap(self):
        """Ends workers: first the process, then what it left in its pipes, then `exit`."""
        while self.pids:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                break
            worker = self.pids.pop(pid)
            worker.status = status >> 8 or -(status & 127)
            worker.end = time.monotonic() + 0.2
            self.ending.append(worker)
            for stream in worker.streams:
                stream.data = bytearray()
        for worker in self.ending[:]:
            for stream in worker.streams[:]:
                if stream.kind == CONTROL or worker.end < time.monotonic() and self.may_read(stream):
                    self.close(stream)
            if not worker.streams:
                self.ending.remove(worker)
                self.send(worker.channel, EXIT, worker.status)

    def stop(self):
        """The launcher is gone or wants an end. The guardian kills what is left after this."""
        end = time.monotonic() + 0.2
        os.killpg(0, signal.SIGTERM)
        os.killpg(0, signal.SIGCONT)
        while self.pids and time.monotonic() < end:
            pid = os.waitpid(-1, os.WNOHANG)[0]
            self.pids.pop(pid, None)
            pid or time.sleep(0.005)


class Files(bootstrap.SourceLoader):
    """A finder and loader of what the launcher has: asked before the host is searched for the names
    in `first`, after it for those in `last`."""

    lock = _thread.allocate_lock()
    have = {}

    def __init__(self, names):
        self.names = names

    def ask(self, kind, name):
        if os.getpid() != self.pid:
            raise ImportError("no import of %s in a forked child" % name)
        with self.lock:
            os.write(4, frame(kind, name))
            data = bytearray()
            answer = None
            while answer is None:
                more = os.read(4, PIECE)
                if not more:
                    raise ImportError(name)  # the hub is gone
                data += more
                answer = unframe(data)
        return answer[0]

    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in self.names:
            return
        if top not in self.have:
            self.have[top] = tilia.decode(self.ask(IMPORT, top))
        root, files = self.have[top]
        base = name.replace(".", "/")
        for path in base + "/__init__.py", base + ".py":
            if path in files:
                spec = bootstrap._bootstrap.ModuleSpec(name, self, origin=root + path)
                spec.has_location = True
                if path != base + ".py":
                    spec.submodule_search_locations = [root + base]
                return spec
        for path in files:
            if path.startswith(base + "/"):
                spec = bootstrap._bootstrap.ModuleSpec(name, None)
                spec.submodule_search_locations = [root + base]
                return spec
            if path.startswith(base + ".") and path.endswith(".so"):
                raise ImportError("%s: a C extension is not served, install it on %s" % (root + path, tilia.host))

    def get_filename(self, name):
        return self.find_spec(name).origin

    def get_data(self, path):
        for root, files in self.have.values():
            name = path[len(root):]
            if root + name == path and name in files:
                if files[name] is None:
                    files[name] = self.ask(FILE, name)
                return files[name]
        raise FileNotFoundError(2, "not served", path)


def work(start, rank):
    """The worker's life. Its end is the interpreter's own: atexit, threads, sys.exit()."""
    for number in IGNORED:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for name in "host", "place", "run", "size":
        setattr(tilia, name, start[name])
    tilia.rank = rank
    tilia._attach(3)
    os.environ.update(start["env"])
    sys.stdin = sys.__stdin__ = open(0)
    for fd, name in (1, "stdout"), (2, "stderr"):
        file = open(fd, "w", 1, "utf-8", "surrogateescape" if fd == 1 else "backslashreplace", closefd=False)
        setattr(sys, name, file)
        setattr(sys, "__%s__" % name, file)
    # the interpreter's own does not know sources that were served
    sys.excepthook = lambda *error: __import__("traceback").print_exception(*error)
    script = start["script"]
    sys.argv = [script] + [a if isinstance(a, str) else os.fsdecode(a) for a in start["argv"]]
    sys.path = [p for p in sys.path if p]
    Files.pid = os.getpid()
    sys.meta_path[:] = [Files(start["first"] + ["tilia"])] + sys.meta_path + [Files(start["last"])]
    main = types.ModuleType("__main__")
    main.__file__ = script
    sys.modules["__main__"] = main
    source = start["source"]
    try:
        text = bootstrap.decode_source(source)
        linecache.cache[script] = len(text), None, text.splitlines(True), script
        exec(compile(source, script, "exec", dont_inherit=True), main.__dict__)
        sys.exit()
    except SystemExit:
        raise
    except BaseException as error:
        error.__traceback__ = error.__traceback__.tb_next
        sys.excepthook(type(error), error, error.__traceback__)
        if isinstance(error, ModuleNotFoundError):
            print("tilia: %s: neither on %s nor under %s (--path adds a folder)"
                  % (error.name, tilia.host, start["roots"]), file=sys.stderr)
        sys.exit(130 if isinstance(error, KeyboardInterrupt) else 1)


def guard(hub, pipe):
    """Waits for the end of the hub or of the trunk, then leaves nothing behind."""
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    poll.register(1, 0)
    if pipe not in dict(poll.poll()):
        poll.unregister(1)
        poll.poll(400)
    try:
        os.killpg(hub, signal.SIGKILL)
    except OSError:
        pass
    sweep()


def sweep():
    """Kills everything of this place but the caller, until there is no more."""
    mark = b"TILIA_RUN=" + os.fsencode(os.environ.get("TILIA_RUN", "")) + b"\0"
    for _ in range(50):
        found = False
        for pid in os.listdir("/proc") if os.path.isdir("/proc/self") else ():
            try:
                with open("/proc/%s/environ" % pid, "rb") as file:
                    if mark in file.read() and int(pid) != os.getpid():
                        os.kill(int(pid), signal.SIGKILL)
                        found = True
            except (OSError, ValueError):
                pass
        if not found:
            break
        time.sleep(0.01)


def main(core):
    """Called by the first stage with the source of tilia/__init__.py."""
    global tilia
    tilia = types.ModuleType("tilia")
    tilia.__path__ = []
    sys.modules["tilia"] = tilia
    exec(compile(core, "tilia/__init__.py", "exec"), tilia.__dict__)
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    guardian = os.getpid()
    pipe = os.pipe()
    pid = os.fork()
    if pid:
        os.close(pipe[1])
        os.close(0)
        guard(pid, pipe[0])
        os._exit(0)
    os.close(pipe[0])
    os.setsid()
    hub = Hub(pipe[1])
    try:
        hub.run()
    except (EOFError, OSError):
        hub.stop()
    if os.getppid() != guardian:
        sweep()
    os._exit(0)
