"""What a program asks of a space now and then: the methods of Space that are imported when they
are first used. Each gets the space, the arguments and the keywords."""
from . import Error, Simple, _Call, _options, encode


def claims(space, template, options):
    """One match after the other under a lease: see tilia.claims."""
    from .claims import each
    return each(space, template, options)


def watch(space, template, options):
    """What happens to what matches, as it happens: see tilia.watch."""
    from .watch import each
    return each(space, template, options)


def atomic(space, nothing, options):
    """Several steps at one instant: see tilia.atomic."""
    from .atomic import Atomic
    return Atomic(space, *nothing, **options)


def wait(space, template, options):
    """Waits until at least ge=n match (1), and gives how many do.

    All that exist count, claimed and delayed ones too (hidden=False: not these).
    timeout=seconds: at most, then Timeout; with timeout=0 it gives None.
    """
    return _wait(space, template, options, ["ge", options.pop("ge", 1)])


def wait_none(space, template, options):
    """Waits until none matches: until all work on them is done. Gives 0; else as wait."""
    return _wait(space, template, options, ["eq", 0])


def _wait(space, template, options, condition):
    timeout = options.get("timeout")
    template = encode(options.pop("template", template or None), True)
    call = _Call("wait", encode(space.name), template, encode(condition), *_options(options))
    return space.channel.request(call, None, timeout)


def create(space, nothing, options):
    """Makes this space (volatile=True: in memory only).

    shape=a template every tuple must match, tuples=n and bytes=n at most, tries=n claims in
    vain, after which a tuple is buried in the space dead="name".
    """
    _admin(space, "create", nothing, options)


def alter(space, nothing, options):
    """Changes what is named of the options of create, and leaves the others as they are.

    tries=0, tuples=0, bytes=0, dead="" and shape=False take one away.
    """
    if options.get("shape") is False:
        options["shape"] = Simple(22)  # null: of None nothing is said
    _admin(space, "alter", nothing, options)


def drop(space, nothing, options):
    """Ends this space and all that is in it."""
    _admin(space, "drop", nothing, options)


def list(space, nothing, options):
    """The spaces there are: a list of dicts."""
    return space.channel.request(_Call("space", encode("list"), *_none(nothing, options)))


def stats(space, what, options):
    """The server's counters and sizes."""
    return space.channel.request(_Call("stats", *map(encode, what)))


def _none(words, options):
    """The options, when there are no words."""
    if words:
        raise Error(-69, "keywords only")
    return _options(options)


def _admin(space, verb, nothing, options):
    words = encode(verb), encode(space.name)
    space.channel.request(_Call("space", *words + _none(nothing, options)))
