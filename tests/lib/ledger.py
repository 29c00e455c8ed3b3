"""The books of the crash tests: what clients say they put and took (the log that
tests/crash/worker.c describes), what is left in the end, and whether it adds up."""
import collections
import os


class Ledger:
    """All logs together. `left`: (key, id) of what a drain at the end found."""

    def __init__(self, logs, left):
        self.put, self.doubt, self.never, self.taken, self.unknown = {}, set(), set(), [], []
        self.claims, self.returned = {}, collections.Counter()  # key: [(token, tries)]
        self.given_back, self.wrong, self.ends = 0, [], {}
        self.by_log = {}
        for path in logs:
            self.by_log[path] = []
            self.read(path)
        self.left = list(left)

    def read(self, path):
        name = os.path.basename(path)
        self.ends[name] = None
        with open(path) as f:
            lines = f.read().split("\n")
        for line in lines[:-1]:  # behind the last newline: nothing, or what a kill cut off
            what, *args = line.split()
            args = [int(a) for a in args]
            if what == "p":
                self.doubt.add(args[0])
            elif what == "P":
                self.doubt.remove(args[0])
                self.put[args[0]] = args[1]
            elif what == "X":
                self.doubt.remove(args[0])
                self.never.add(args[0])
                self.wrong.append("%s: put of %d failed with %d" % (name, *args))
            elif what == "D":
                self.doubt.remove(args[0])
                self.never.add(args[0])
            elif what == "U":
                self.wrong.append("%s: put of %d is not known: %d" % (name, *args))
            elif what == "T":
                self.taken.append(tuple(args))
                self.by_log[path].append(args[0])
            elif what == "B":
                self.given_back += 1
            elif what == "C":
                self.claims.setdefault(args[0], []).append((args[3], args[2]))
            elif what == "R":
                self.returned[args[0]] += 1
            elif what == "V":
                self.unknown.append((name, args[1]))
                self.wrong.append("%s: a take of %d is not known: %d" % (name, args[1], args[0]))
            elif what == "E":
                self.wrong.append("%s: a take failed with %d" % (name, args[0]))
            elif what == "end":
                self.ends[name] = args[0]
            else:
                assert what in "tN", line

    def twice(self):
        seen = collections.Counter(key for key, _ in self.taken + self.left)
        return sorted(key for key, n in seen.items() if n > 1)

    def lost(self):
        return sorted(set(self.put) - {key for key, _ in self.taken + self.left})

    def from_nowhere(self):
        return sorted({key for key, _ in self.taken + self.left} - set(self.put) - self.doubt)

    def misnamed(self):
        """Seen under another id than its put was answered with."""
        return sorted(key for key, number in self.taken + self.left
                      if key in self.put and self.put[key] != number)

    def mistried(self):
        """Claimed otherwise than 1, 2, ... times, with tokens that rise, each but the last given back."""
        return sorted(key for key, claims in self.claims.items()
                      if [tries for _, tries in sorted(claims)] != list(range(1, len(claims) + 1))
                      or len(set(claims)) != len(claims)
                      or not len(claims) - 1 <= self.returned[key] <= len(claims))

    def faults(self):
        """What is wrong whatever broke: a list of texts, empty when all is well."""
        found = []
        for what in ("lost", "twice", "from_nowhere", "misnamed", "mistried"):
            keys = getattr(self, what)()
            if keys:
                found.append("%d %s: %s" % (len(keys), what, keys[:9]))
                found += [line for key in keys[:3] for line in self.trace(key)]
        return found

    def trace(self, key):
        """What the logs say of it, with the lines around."""
        for path in self.by_log:
            with open(path) as f:
                lines = f.read().split("\n")
            for i, line in enumerate(lines):
                if str(key) in line.split():
                    yield "%s:%d: %s" % (os.path.basename(path), i + 1, " | ".join(lines[max(i - 6, 0):i + 7]))

    def __str__(self):
        return "%d put, %d in doubt, %d taken, %d claims, %d given back, %d left" % (
            len(self.put), len(self.doubt), len(self.taken), sum(map(len, self.claims.values())),
            self.given_back + sum(self.returned.values()), len(self.left))
