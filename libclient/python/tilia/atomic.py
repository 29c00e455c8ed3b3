"""Several steps at one instant, or none of them.

    with space.atomic() as step:
        job = step.in_("counter", int)
        step.out("counter", job[1] + 1)
    print(job[1])

First guards, as many as one likes up to 16: in_ and rd are for the oldest match that no in_ before
took, no is for there being no match at all. Then up to 64 tuples to be put. When all guards hold
at one instant all of it happens; the end of the with block waits for that. What is put may refer
to the fields of what a guard matched, also with an integer added or subtracted; after the block
the same expression is the value. When an exception leaves the block nothing happens.

    step = space.atomic(timeout=0)
    step.no("lock", str)
    step.out("lock", "me", bound=True)
    if step.run() is None: ...

While an atomic waits it has taken nothing, so that others may be faster again and again.
"""
from . import Error, Tag, Tuple, _Call, _head, _options, encode


class Field(Tag):
    """A field of what a guard will match, in what is put: field + 1, field - 1."""

    def __init__(self, guard, field, *add):
        Tag.__init__(self, 21581, [guard, field, *add])

    def __add__(self, number):
        return Field(*self.value[:2], sum(self.value[2:]) + number)

    __radd__ = __add__

    def __sub__(self, number):
        return self + -number


class Guard:
    """A guard: .tuple is what it matched, afterwards (None: of no, and before)."""

    tuple = None

    def __init__(self, number):
        self.number = number

    def __getitem__(self, field):
        return Field(self.number, field) if self.tuple is None else self.tuple[field]

    def __iter__(self):
        return iter(self.tuple)

    def __repr__(self):
        return "<guard %d: %r>" % (self.number, self.tuple)


class Atomic:
    """The steps; timeout=seconds: waits at most so long, then Timeout (0: run() gives None)."""

    ids = None  # of the tuples put, afterwards; None: it did not happen (yet)

    def __init__(self, space, timeout=None):
        self.space = space
        self.timeout = timeout
        self.steps = []
        self.guards = []

    def in_(self, *template, **options):
        """Takes the oldest match. template= as in Space.in_, space="name": in another space."""
        return self._guard("in", template, options)

    def rd(self, *template, **options):
        """As in_, but the tuple stays."""
        return self._guard("rd", template, options)

    def no(self, *template, **options):
        """Nothing that exists matches. With hidden=False: nothing that is visible."""
        return self._guard("no", template, options)

    def out(self, *fields, **options):
        """A tuple to be put: ttl, delay, bound as in Space.out; space="name": into another."""
        self._step("out", encode(fields), options)

    def run(self):
        """Does it, and gives the ids of the tuples put. Without `with`."""
        if self.ids is not None:
            raise Error(-69, "this atomic is done")
        steps = _head(4, len(self.steps)) + b"".join(self.steps)
        call = _Call("atomic", steps, *_options({"timeout": self.timeout}))
        return self.space.channel.request(call, self._done, self.timeout)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            self.run()

    def _guard(self, kind, template, options):
        if not template and "template" not in options:
            raise Error(-69, "no field; for any tuple: template=None")
        if len(self.guards) < len(self.steps):
            raise Error(-69, "guards stand in front of what is put")
        template = options.pop("template", template)
        self._step(kind, encode(template, True), options)
        self.guards.append(Guard(len(self.guards)))
        return self.guards[-1]

    def _step(self, kind, item, options):
        name = options.pop("space", None) or self.space.name
        options = _options(options)
        parts = encode(kind), encode(name), item
        self.steps.append(_head(4, 3 + len(options)) + b"".join(parts + options))

    def _done(self, reply):
        if reply is None:
            return None
        for guard, row in zip(self.guards, reply[0]):
            if row:
                guard.tuple = Tuple(row[1])
                guard.tuple.id = row[0]
        self.ids = reply[1]
        return self.ids
