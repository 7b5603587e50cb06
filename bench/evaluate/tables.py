"""Tables of saved evaluations, in Markdown.

  tables.py folds NAME=EVALUATION.json... [--labels LABELS.csv]   macro F1 and its spread over folds
  tables.py curve EVALUATION.json                                 macro F1 by the number of groups that teach
  tables.py spaces NAME=EVALUATION.json...                        spaces of each data set
  tables.py heads NAME=EVALUATION.json...                         heads of each data set
  tables.py tasks NAME=EVALUATION.json...                         what cells of one label are predicted to be
  tables.py thresholds NAME=PREFIX...                             PREFIX-fixed-SEED.json beside PREFIX-fitted-SEED.json

"folds" prints the spread that an idealised classifier has, too: one whose precision and recall are 0.82 for every
class, and whose errors are shared by all fields of a protein, or those of single fields.
"""

import argparse
import base64
import glob
import json
import statistics

import numpy
from common import markdown
from simulate import labels_by_protein


def load(path):
    with open(path) as file:
        return json.load(file)


def folds_of(run, repetition):
    return [fold["values"]["macroF1"] for fold in run["folds"] if fold["repetition"] == repetition]


def spreads(evaluation, run):
    """The population SD of macro F1 over the folds of each repetition."""
    return [statistics.pstdev(folds_of(run, repetition)) for repetition in range(evaluation["design"]["repeats"])]


def pooled_macro_f1(run):
    """Macro F1 of all predictions at once, over the classes that have positives."""
    def macro_f1(scores):
        counts = [(2 * c["truePositives"], c["falsePositives"], c["falseNegatives"]) for c in scores["perClass"]]
        return statistics.mean(hits / (hits + false + missed) for hits, false, missed in counts if hits + missed > 0)
    return statistics.mean(macro_f1(predictions["pooled"]) for predictions in run["predictions"])


def interval_of(run):
    interval = run["macroF1Interval"]
    return f"{pooled_macro_f1(run):.3f} ({interval['lower']:.3f} to {interval['upper']:.3f})"


def p_text(p):
    return f"{p:.3f}" if p >= 0.001 else "< 0.001"


def range_of(values):
    return f"{statistics.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def folds_table(evaluations, labels):
    print(markdown.row("samples", "folds", "macro F1", "SD over 5 folds: mean (range) of", "repetitions"))
    print(markdown.row("---", "---", "---:", "---:", "---:"))
    for name, path in evaluations:
        evaluation = load(path)
        run = evaluation["runs"][-1]
        grouping = f"grouped by {evaluation['groupField']}" if "groupField" in evaluation else "ungrouped"
        print(markdown.row(name, grouping, f"{run['summary']['macroF1']['mean']:.3f}",
                           range_of(spreads(evaluation, run)), evaluation["design"]["repeats"]))
    if labels:
        for name, values in idealised(labels):
            print(markdown.row(f"idealised, {name}", "", "", range_of(values), len(values)))


def idealised(path, quality=0.82, repetitions=60):
    labels = labels_by_protein(path)
    proteins = sorted(labels)
    classes = sorted(set().union(*labels.values()))
    truth = numpy.array([[name in labels[protein] for name in classes] for protein in proteins])
    random = numpy.random.default_rng(1)

    def decide(truth):
        frequency = truth.mean(0)
        false_alarms = frequency * (1 - quality) / (1 - frequency)
        return random.random(truth.shape) < numpy.where(truth, quality, false_alarms)

    def macro_f1(truth, decided):
        present = truth.any(0)
        hits = 2 * (truth & decided).sum(0)[present]
        return (hits / (truth.sum(0) + decided.sum(0))[present]).mean()

    def spread(truth, decided, fold):
        return statistics.pstdev(macro_f1(truth[fold == k], decided[fold == k]) for k in range(5))

    grouped, random_fields = [], []
    for _ in range(repetitions):
        counts = random.choice([4, 5, 6], len(proteins), p=[0.3, 0.59, 0.11])
        protein_of = numpy.repeat(numpy.arange(len(proteins)), counts)
        fold = random.permutation(len(proteins)) % 5
        grouped.append(spread(truth[protein_of], decide(truth)[protein_of], fold[protein_of]))
        fold = random.permutation(len(protein_of)) % 5
        random_fields.append(spread(truth[protein_of], decide(truth[protein_of]), fold))
    return [("errors shared by a protein's fields, folds of proteins", grouped),
            ("errors of single fields, folds of fields", random_fields)]


def curve_table(path):
    evaluation = load(path)
    print(markdown.row("part of the train groups", "groups", "macro F1", "sample SD", "pooled (95 % interval)"))
    print(markdown.row("---:", "---:", "---:", "---:", "---:"))
    groups = len({sample["group"] for sample in evaluation["samples"]})
    known = groups - groups / evaluation["design"]["folds"]
    for run in evaluation["runs"]:
        summary = run["summary"]["macroF1"]
        print(markdown.row(run["fraction"], f"{known * run['fraction']:.0f}", f"{summary['mean']:.3f}",
                           f"{summary['sampleSD']:.3f}", interval_of(run)))


def runs_table(evaluations, kind):
    """The runs of each data set, of which spaces or heads are compared."""
    print(markdown.row("data", "samples", "groups", kind, "macro F1", "sample SD",
                       "pooled (95 % interval)", "AUROC", "p against the best"))
    print(markdown.row("---", "---:", "---:", "---", "---:", "---:", "---", "---:", "---:"))
    for name, path in evaluations:
        evaluation = load(path)
        runs = evaluation["runs"]
        best = max(range(len(runs)), key=lambda index: runs[index]["summary"]["macroF1"]["mean"])
        for index in sorted(range(len(runs)), key=lambda index: -runs[index]["summary"]["macroF1"]["mean"]):
            run = runs[index]
            summary = run["summary"]["macroF1"]
            pair = [entry for entry in evaluation["comparisons"] if {entry["first"], entry["second"]} == {index, best}]
            p = p_text(pair[0]["correctedTHolm"]) if pair and "correctedTHolm" in pair[0] else ""
            print(markdown.row(name, len(evaluation["samples"]), len({s.get("group") for s in evaluation["samples"]}),
                               run["head"] if kind == "head" else run["space"]["name"], f"{summary['mean']:.3f}", f"{summary['sampleSD']:.3f}",
                               interval_of(run), f"{run['summary']['macroAUROC']['mean']:.3f}", p))


def tasks_table(evaluations):
    """What is predicted for the cells of the first repetition, each of which has one label."""
    print(markdown.row("learned as", "macro F1", "sample SD", "right", "no label", "one, wrong", "several"))
    print(markdown.row("---", "---:", "---:", "---:", "---:", "---:", "---:"))
    for name, path in evaluations:
        evaluation = load(path)
        run = evaluation["runs"][0]
        data = base64.b64decode(run["predictions"][0]["probabilities"])
        probabilities = numpy.frombuffer(data, "<f4").reshape(len(evaluation["samples"]), -1)
        truth = numpy.array([sample["labels"][0] for sample in evaluation["samples"]])
        if evaluation["task"] == "single":
            predicted = numpy.arange(probabilities.shape[1]) == probabilities.argmax(axis=1)[:, None]
        else:
            predicted = probabilities > 0.5
        count = predicted.sum(axis=1)
        hit = predicted[numpy.arange(len(truth)), truth]
        summary = run["summary"]["macroF1"]
        shares = [(count == 1) & hit, count == 0, (count == 1) & ~hit, count > 1]
        print(markdown.row(name, f"{summary['mean']:.3f}", f"{summary['sampleSD']:.3f}",
                           *(f"{100 * share.mean():.1f} %" for share in shares)))


def named(argument):
    name, path = argument.split("=", 1)
    return name, path


def thresholds_table(evaluations):
    def scores(path):
        run = load(path)["runs"][0]
        counts = run["predictions"][0]["pooled"]["perClass"]
        predicted = sum(c["truePositives"] + c["falsePositives"] for c in counts)
        return (pooled_macro_f1(run), run["summary"]["macroF1"]["mean"],
                predicted / sum(c["truePositives"] + c["falseNegatives"] for c in counts))

    print(markdown.row("vectors", "thresholds", "pooled macro F1", "sample SD of seeds", "mean over folds",
                       "predicted for each true"))
    print(markdown.row("---", "---", "---:", "---:", "---:", "---:"))
    for name, prefix in evaluations:
        for how in ("fixed", "fitted"):
            pooled, folds, predicted = zip(*(scores(path) for path in sorted(glob.glob(f"{prefix}-{how}-*.json"))))
            print(markdown.row(name, how, f"{statistics.mean(pooled):.3f}", f"{statistics.stdev(pooled):.3f}",
                               f"{statistics.mean(folds):.3f}", f"{statistics.mean(predicted):.2f}"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", choices=["folds", "curve", "spaces", "heads", "tasks", "thresholds"])
    parser.add_argument("evaluations", nargs="+")
    parser.add_argument("--labels")
    options = parser.parse_args()
    if options.table == "folds":
        folds_table([named(entry) for entry in options.evaluations], options.labels)
    elif options.table == "curve":
        curve_table(options.evaluations[0])
    elif options.table == "thresholds":
        thresholds_table([named(entry) for entry in options.evaluations])
    elif options.table == "tasks":
        tasks_table([named(entry) for entry in options.evaluations])
    else:
        runs_table([named(entry) for entry in options.evaluations], options.table.removesuffix("s"))


if __name__ == "__main__":
    main()
