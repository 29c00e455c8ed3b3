"""What a program asks of a space now and then: the methods of Space that are imported when they
are first used."""
from . import Error, Simple, _Call, _head, _options, encode


def out_many(space, tuples, **options):
    """Puts any number of tuples, some hundreds at once, and gives how many."""
    if "unless" in options:
        raise Error(-69, "unless is for out and outs: it would be judged once for some hundreds")

    def put():
        return len(space._call("outs", _head(4, len(part)) + b"".join(part), options))

    done, part, size = 0, [], 0
    for item in tuples:
        item = encode(item)
        if part and (len(part) > 999 or size + len(item) > 60000):
            done += put()
            part, size = [], 0
        part.append(item)
        size += len(item)
    return done + put() if part else done


def claims(space, *template, **options):
    """One match after the other under a lease: see tilia.claims."""
    from .claims import each
    return each(space, template, options)


def watch(space, *template, **options):
    """What happens to what matches, as it happens: see tilia.watch."""
    from .watch import each
    return each(space, template, options)


def atomic(space, **options):
    """Several steps at one instant: see tilia.atomic."""
    from .atomic import Atomic
    return Atomic(space, **options)


def wait(space, *template, ge=1, **options):
    """Waits until at least ge=n match, and gives how many do.

    All that exist count, claimed and delayed ones too (hidden=False: not these).
    timeout=seconds: at most, then Timeout; with timeout=0 it gives None.
    """
    return _wait(space, template, options, ["ge", ge])


def wait_none(space, *template, **options):
    """Waits until none matches: until all work on them is done. Gives 0; else as wait."""
    return _wait(space, template, options, ["eq", 0])


def _wait(space, template, options, condition):
    timeout = options.get("timeout")
    template = encode(options.pop("template", template or None), True)
    call = _Call("wait", encode(space.name), template, encode(condition), *_options(options))
    return space.channel.request(call, None, timeout)


def create(space, **options):
    """Makes this space (volatile=True: in memory only).

    shape=a template every tuple must match, tuples=n and bytes=n at most, tries=n claims in
    vain, after which a tuple is buried in the space dead="name".
    """
    _admin(space, "create", options)


def alter(space, **options):
    """Changes what is named of the options of create, and leaves the others as they are.

    tries=0, tuples=0, bytes=0, dead="" and shape=False take one away.
    """
    if options.get("shape") is False:
        options["shape"] = Simple(22)  # null: of None nothing is said
    _admin(space, "alter", options)


def drop(space):
    """Ends this space and all that is in it."""
    _admin(space, "drop", {})


def _admin(space, verb, options):
    call = _Call("space", encode(verb), encode(space.name), *_options(options))
    space.channel.request(call)


def list(space):
    """The spaces there are: a list of dicts."""
    return space.channel.request(_Call("space", encode("list")))


def stats(space, *what):
    """The server's counters and sizes."""
    return space.channel.request(_Call("stats", *map(encode, what)))
