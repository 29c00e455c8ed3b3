"""Counts words together. Run it at as many places as there are:

    tilia run --on '4/local 8/web1' docs/examples/wordcount.py          the workers
    tilia run --on local docs/examples/wordcount.py collect TEXT         who collects

A job is a tuple ("line", text). A worker takes one, counts its words, and puts
("words", {word: count}, rank, host). ("line", None) means: no more; who takes it puts it
back for the others and ends.
"""
import collections
import re
import sys
import time

import tilia

WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")


def count(text):
    return collections.Counter(WORD.findall(text.lower()))


def work(space):
    done = 0
    while True:
        _, line = space.in_("line", ...)
        if line is None:
            space.out("line", None)
            return done
        space.out("words", dict(count(line)), tilia.rank, tilia.host)
        done += 1


def collect(space, path):
    """Sums up what the workers put; says who did how much; compares with a count of its own."""
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    started = time.monotonic()
    words, shares, left = collections.Counter(), collections.Counter(), len(lines)
    while left:
        for _, part, rank, host in space.in_("words", dict, int, str, max=min(left, 500)):
            words.update(part)
            shares[host, rank] += 1
            left -= 1
    seconds = time.monotonic() - started
    print("top words: " + ", ".join("%s %d" % pair for pair in words.most_common(10)))
    for (host, rank), share in sorted(shares.items(), key=lambda item: item[0][1]):
        print("worker %d on %s: %d lines" % (rank, host, share))
    print("%d lines, %d words, %.1f s, %d workers" % (len(lines), sum(words.values()), seconds, len(shares)))
    alone = collections.Counter()
    for line in lines:
        alone.update(count(line))
    return words == alone, len(shares)


if __name__ == "__main__":
    if sys.argv[1:2] == ["collect"]:
        same, workers = collect(tilia.space(), sys.argv[2])
        wanted = int(sys.argv[3]) if len(sys.argv) > 3 else 1
        if not same:
            sys.exit("the workers' count differs from that of a single process")
        print("identical to the count of a single process")
        if workers < wanted:
            sys.exit("%d of %d workers did nothing" % (wanted - workers, wanted))
    else:
        print("counted %d lines" % work(tilia.space()))
