"""Work that nobody loses: tuples taken under a lease.

    for job in space.claims("job", int, lease=30):
        with job:
            job.out("result", job[1], work(job[1]))

With drain=True the loop ends when nothing that matches exists any more: claims of others (and
one's own that are not ended) and delayed tuples exist, so what comes back is not missed. Without
it the loop waits for more, with timeout=seconds at most so long.

At the end of the with block the job is done, and its outs are put, in one step; when an
exception leaves the block it is back in its old place, and nothing was put. When this process
dies, or takes longer than the lease without job.renew(), it is back too; then the end of the
block raises ClaimOver, and nothing of it happened.
"""
from . import KINDS, Error, Timeout, Tuple, _Call, encode

OPTIONS = {"ttl", "delay", "bound"}  # of what is put


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
        """A tuple to be put when the claim is done (space="name": into another space).

        ttl, delay and bound as in Space.out.
        """
        put = [options.pop("space", None) or self.space.name, list(fields)]
        wrong = set(options) - OPTIONS
        if wrong:
            raise Error(-69, "no such option: %s" % ", ".join(wrong))
        options = {key: value if key == "bound" else round(value * 1000)
                   for key, value in options.items() if value is not None}
        encode(fields)  # what cannot be sent is refused here and now
        self.outs.append(put + [options] if options else put)

    def done(self):
        """Ends the claim and puts its outs, in one step; gives their ids."""
        return self._commit({"done": [self.token], "out": self.outs})

    def back(self, delay=0):
        """Gives the tuple back, in its old place. Nothing is put.

        With delay=seconds nobody finds it for so long.
        """
        self._commit({"back": [[self.token, round(delay * 1000)]]})

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
        return got or (got if timeout == 0 else None)

    timeout = 0 if options.get("drain") else options.get("timeout")
    return space._match("in", template, options, result, timeout)


def each(space, template, options):
    """One claim after the other. It ends when nothing matches for `timeout` seconds, or is drained."""
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
