"""Work that nobody loses: tuples taken under a lease.

    for job in space.claims("job", int, lease=30):
        with job:
            job.out("result", job[1], work(job[1]))

At the end of the with block the job is done, and its outs are put, in one step; when an
exception leaves the block it is back in its old place, and nothing was put. When this process
dies, or takes longer than the lease without job.renew(), it is back too; then the end of the
block raises ClaimOver, and nothing of it happened.
"""
from . import KINDS, Error, Timeout, Tuple, _Call, encode


class ClaimOver(Error):
    """The lease of a claim was over: somebody else may have the tuple."""


KINDS[-12] = ClaimOver


class Claim(Tuple):
    """A claimed tuple. .token is its fencing number, .tries how often it was claimed, from 1."""

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if self.over:
            return
        if kind is None:
            self.done()
            return
        try:
            self.back()
        except Error:
            pass  # it is back already, or will be: the exception at hand matters

    def out(self, *fields, **options):
        """A tuple to be put when the claim is done (space="name": into another space)."""
        name = options.pop("space", None)
        if options:
            raise Error(-69, "no such option: %s" % ", ".join(options))
        encode(fields)  # what cannot be sent is refused here and now
        self.outs.append([name or self.space.name, list(fields)])

    def done(self):
        """Ends the claim and puts its outs, in one step; gives their ids."""
        return self._commit({"done": [self.token], "out": self.outs})

    def back(self):
        """Gives the tuple back, in its old place. Nothing is put."""
        self._commit({"back": [[self.token, 0]]})

    def bury(self):
        """Puts the tuple among the dead letters of its space, and its outs where they go."""
        return self._commit({"bury": [self.token], "out": self.outs})

    def renew(self, lease=None):
        """Lets the lease end no earlier than so many seconds from now; gives what is left."""
        ms = max(1, round((lease or self.lease) * 1000))
        call = _Call("renew", encode([self.token]), encode(ms))
        return self.space.channel.request(call)[0] / 1000

    def _commit(self, what):
        ids = self.space.channel.request(_Call("commit", encode(what)))
        self.over = True
        return ids


def take(space, template, options):
    """A list of claims: 1 to max of the oldest matches."""
    options = dict(options)
    lease = options.get("lease") or 30
    options["lease"] = max(lease, .001)
    if not template and "template" not in options:
        raise Error(-69, "no field; for any tuple: template=None")

    def result(rows):
        got = []
        for row in rows:
            claim = Claim(row[1])
            claim.id, claim.token, claim.tries = row[0], row[2], row[3]
            claim.space, claim.lease, claim.over, claim.outs = space, lease, False, []
            got.append(claim)
        return got or (got if options.get("timeout") == 0 else None)

    return space._match("in", template, options, result, options.get("timeout"))


def each(space, template, options):
    """One claim after the other. It ends when nothing matches for `timeout` seconds."""
    while True:
        try:
            got = take(space, template, options)
        except Timeout:
            return
        if not got:
            return
        try:
            while got:
                yield got.pop(0)
        finally:
            for claim in got:  # nobody wants them any more
                claim.__exit__(GeneratorExit, None, None)
