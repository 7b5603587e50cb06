"""The raw numbers of compare.py as Markdown."""

import statistics

from common.machine import sentence
from common.markdown import row


def of_report(report):
    runs = [of_run(model, run) for model in report["models"] for run in model["runs"]]
    return "\n".join([heading(report), *runs])


def heading(report):
    machine = report["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return (
        f"{sentence(machine)}; {versions}.\n\n"
        f"Images of {report['sizePx']} x {report['sizePx']} px. images/s: median of {report['rounds']} rounds of "
        f"{report['seconds']:g} s (best batch of all). Load: from reading the model to the first vector. MB: peak of "
        "the process, by batch. Cosines: class token against PyTorch in float32.\n")


def of_run(model, run):
    counts = model["multiplyAdds"]
    ceilings = ", ".join(
        f"{kind} {value:.0f}" if value else f"{kind} none" for kind, value in run["ceiling"].items())
    title = (
        f"### {model['name']}, threads: {run['threads']}\n\n"
        f"{counts['all'] / 1e9:.3f} G multiply-adds an image, of which the class token needs "
        f"{counts['needed'] / 1e9:.3f} G. Ceiling, G multiply-adds/s: {ceilings}.\n")
    return "\n".join([title, *subjects(run), "", *ratios(counts["needed"], run), ""])


def subjects(run):
    batches = list(run["subjects"][0]["batches"])
    yield row("subject", "precision", *(f"images/s, batch {batch}" for batch in batches), "load, s",
              "MB, batch " + " / ".join(str(batch) for batch in batches), "cosine, least", "centred cosine, mean")
    yield "|---|---" + "|---:" * (len(batches) + 4) + "|"
    for found in run["subjects"]:
        if found["failure"]:
            yield row(found["subject"], found["precision"], "failed: " + found["failure"].replace("|", "/"),
                      *[""] * (len(batches) + 3))
            continue
        rounds = found["batches"].values()
        yield row(
            found["subject"], found["precision"],
            *(f"{median(timings):.2f} ({max(t['best'] for t in timings):.2f})" for timings in rounds),
            f"{found['loadSeconds']:.2f}", " / ".join(f"{timings[0]['peakByteCount'] / 1e6:.0f}" for timings in rounds),
            f"{found['error']['minimumCosine']:.6f}", f"{found['error']['meanCenteredCosine']:.6f}")


def ratios(multiply_adds, run):
    """cellvec against the fastest rival of its precision, by batch."""
    yield row("precision", "batch", "cellvec, images/s", "best rival", "its images/s", "ratio", "cellvec of ceiling")
    yield "|---|---:|---:|---|---:|---:|---:|"
    rates = {}
    for found in run["subjects"]:
        if not found["failure"]:
            for batch, timings in found["batches"].items():
                rates.setdefault((found["precision"], batch), {})[found["subject"]] = median(timings)
    for (precision, batch), found in sorted(rates.items(), key=lambda item: (list(run["ceiling"]).index(item[0][0]))):
        own = found.pop("cellvec", None)
        rival = max(found, key=found.get, default=None)
        ceiling = run["ceiling"][precision]
        yield row(
            precision, batch, f"{own:.2f}" if own else "none", rival or "none", f"{found[rival]:.2f}" if rival else "-",
            f"{own / found[rival]:.2f}" if own and rival else "-",
            f"{own * multiply_adds / ceiling / 1e7:.0f} %" if own and ceiling else "-")


def median(timings):
    return statistics.median(timing["median"] for timing in timings)
