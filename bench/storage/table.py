"""The raw numbers of compare.py as Markdown. Figures are medians of all rounds."""

import functools
import statistics

from common.machine import sentence
from common.markdown import megabytes, paragraph, row
from data import COUNTS, QUERIES, SEARCHES

MEMORY_STEPS = ["build", "small", "first, warm", "query", "delete, one piece", "delete, scattered"]


def of_report(report):
    parts = [heading(report)]
    for title, table in [
            ("Insert", inserts), ("First answer of a new process", first_answers), ("Searches and counts", queries),
            ("Deleting half, and giving the bytes back", deletions), ("Peak memory", memories)]:
        parts += [f"### {title}\n", *table(report), ""]
    return "\n".join([*parts, *failures(report)])


def heading(report):
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    machine = paragraph(f"{sentence(report['machine'])}; {versions}.")
    data = paragraph(
        f"{report['rows']:,} vectors of {report['dimension']} float32 ({megabytes(vector_bytes(report))} MB), two "
        f"texts and a number each; medians of {report['rounds']} rounds; each step in a process of its own. Rivals are "
        "timed inside their process, after its imports. cellvec is timed as a whole command, \"with start\", and less "
        "the time of `cellvec --version` beside it (\"-\" where the load hides the rest); its search and count open "
        "the database anew each time.")
    return f"{machine}\n\n{data}\n"


def vector_bytes(report):
    return report["rows"] * report["dimension"] * 4


class Figures:
    """Of one subject. A figure that it lacks is None."""

    def __init__(self, found, with_start=False):
        self.found, self.name = found, found["subject"]
        self.is_less_start = self.name == "cellvec" and not with_start
        if with_start:
            self.name += ", with start"

    def all_of(self, step, *keys):
        """Of each round."""
        found = [functools.reduce(lambda result, key: result[key], keys, result)
                 for result in self.found["steps"].get(step, [])]
        return [value for value in found if value is not None]

    def of(self, step, *keys):
        found = self.all_of(step, *keys)
        return statistics.median(found) if found else None

    def seconds(self, step, *keys):
        """Of the step, or of what the keys lead to; none where other work hides what is left beside the start."""
        seconds = self.of(step, *(keys or ["seconds"]))
        if seconds is None or not self.is_less_start:
            return seconds
        left = seconds - self.of(step, "startSeconds")
        return left if left > 0 else None


def figures(report):
    for found in report["subjects"]:
        yield Figures(found)
        if found["subject"] == "cellvec":
            yield Figures(found, with_start=True)


def inserts(report):
    yield row("subject", "bulk, rows/s", "its processor seconds", "then indexes, s", "in commits of 1,000, rows/s",
              "bytes a row", "beyond the vector", "durability")
    yield "|---" + "|---:" * 6 + "|---|"
    for one in figures(report):
        bulk, small, size = one.seconds("build"), one.seconds("small"), one.of("build", "byteCount")
        yield row(
            one.name, show(bulk and report["rows"] / bulk, ",.0f"), show(one.of("build", "processorSeconds"), ".2f"),
            show(one.of("build", "indexSeconds"), ".2f"), show(small and 1000 / small, ",.0f"),
            show(size and size / report["rows"], ",.0f"),
            show(size and (size - vector_bytes(report)) / report["rows"], ",.0f"), one.found["durability"])


def first_answers(report):
    yield row("subject", "start and imports, ms", "opening and first search, ms", "file not in the cache, ms")
    yield "|---" + "|---:" * 3 + "|"
    for one in figures(report):
        yield row(one.name, milliseconds(one.of("first, warm", "startSeconds")),
                  milliseconds(one.seconds("first, warm")), milliseconds(one.seconds("first, cold")))


def queries(report):
    yield row(
        "subject", *(f"{name}: ms (recall)" for name in SEARCHES), *(f"count, {name}: ms" for name in COUNTS))
    yield "|---" + "|---:" * (len(SEARCHES) + len(COUNTS)) + "|"
    for one in figures(report):
        yield row(
            one.name, *(search(one, name, one.seconds("query", "searches", name, "seconds")) for name in SEARCHES),
            *(count(one, name, one.seconds("query", "counts", name, "seconds")) for name in COUNTS))
        if one.is_less_start:
            batches = {name: one.seconds("query", "searches", name, "batchSeconds") for name in SEARCHES}
            yield row(f"{one.name}, each of {QUERIES} in one process",
                      *(search(one, name, batch and batch / QUERIES) for name, batch in batches.items()),
                      *(count(one, name, one.of("query", "counts", name, "batchSeconds")) for name in COUNTS))


def search(one, name, seconds):
    return f"{milliseconds(seconds)} ({show(one.of('query', 'searches', name, 'recall'), '.3f')})"


def count(one, name, seconds):
    return milliseconds(seconds) + ("" if all(one.all_of("query", "counts", name, "isRight")) else " wrong")


def deletions(report):
    names = ["one piece", "scattered"]
    columns = ("delete, s", "reclaim, s", "MB")
    yield row("subject", "MB before", *(f"{name}: {column}" for name in names for column in columns))
    yield "|---" + "|---:" * 7 + "|"
    for one in figures(report):
        cells = []
        for name in names:
            step = f"delete, {name}"
            size = one.of(step, "byteCount")
            cells += [show(one.seconds(step), ".2f"), show(one.seconds(step, "reclaimSeconds"), ".2f"),
                      (megabytes(size) if size else "-") + ("" if all(one.all_of(step, "isRight")) else " wrong")]
        size = one.of("build", "byteCount")
        yield row(one.name, megabytes(size) if size else "-", *cells)


def memories(report):
    """The process's own memory, and with mapped files, which the system can take back."""
    yield row("subject, MB (MB with mapped files)", *MEMORY_STEPS)
    yield "|---" + "|---:" * len(MEMORY_STEPS) + "|"
    for one in map(Figures, report["subjects"]):
        yield row(one.name, *(
            f"{megabytes(max(own))} ({megabytes(max(one.all_of(step, 'peakByteCount')))})"
            if (own := one.all_of(step, "ownByteCount")) else "-" for step in MEMORY_STEPS))


def failures(report):
    for found in report["subjects"]:
        for step, reason in found["failures"].items():
            yield f"- {found['subject']}, {step}: {reason}"


def milliseconds(seconds):
    if seconds is None:
        return "-"
    return format(1000 * seconds, ".2g" if seconds < 0.001 else ".2f" if seconds < 0.1 else ",.0f")


def show(value, form):
    return "-" if value is None else format(value, form)
