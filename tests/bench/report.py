"""The tables of make bench: rows of medians, printed as they come, and kept for --json."""
import json
import statistics


class Report:
    def __init__(self):
        self.rows = []
        self.part = None

    def section(self, name, *columns):
        """Begins a table."""
        self.part = name
        print("\n%s\n  %-60s%s" % (name, "", "".join("%14s" % c for c in columns)), flush=True)

    def row(self, name, *cells, **rounds):
        """One row. A cell is a text, a number, or a list of rounds, of which the median is
        shown. The lists in `rounds` go to --json only."""
        shown = [middle(c) for c in cells]
        print("  %-60s%s" % (name, "".join("%14s" % text(c) for c in shown)), flush=True)
        self.rows.append(dict(rounds, part=self.part, name=name, values=shown, rounds=list(cells)))

    def note(self, line):
        print("  " + line, flush=True)
        self.rows.append({"part": self.part, "note": line})

    def save(self, path, **about):
        with open(path, "w") as file:
            json.dump(dict(about, rows=self.rows), file, indent=1)
            file.write("\n")


def middle(cell):
    return statistics.median(cell) if isinstance(cell, list) else cell


def text(value):
    if isinstance(value, str):
        return value
    if abs(value) >= 1000:
        return "{:,.0f}".format(value)
    return "%.3g" % value
