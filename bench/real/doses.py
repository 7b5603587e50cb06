"""Reads `cellvec list --csv` of BBBC013 from stdin; prints cells per well and the mean probability per dose."""

import csv
import sys
from collections import defaultdict


def ranks(values):
    """Ranks from 1, equal values sharing their mean rank."""
    order = sorted(range(len(values)), key=values.__getitem__)
    result = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for index in order[start:end]:
            result[index] = (start + 1 + end) / 2
        start = end
    return result


def spearman(x, y):
    rx, ry = ranks(x), ranks(y)
    mx, my = sum(rx) / len(rx), sum(ry) / len(ry)
    covariance = sum((a - mx) * (b - my) for a, b in zip(rx, ry))
    return covariance / (sum((a - mx) ** 2 for a in rx) * sum((b - my) ** 2 for b in ry)) ** 0.5


wells = defaultdict(int)
doses = defaultdict(list)
for cell in csv.DictReader(sys.stdin):
    wells[cell["well"]] += 1
    doses[cell["compound"], int(float(cell["dose_index"]))].append(float(cell["probability_label_Nucleoplasm"]))

print("\ncells per well")
for row in sorted({well[0] for well in wells}):
    print(" ", "  ".join(f"{well} {count:4}" for well, count in sorted(wells.items()) if well[0] == row))

print("\nmean probability of Nucleoplasm by dose (0 = negative control)")
for compound in sorted({compound for compound, _ in doses}):
    mean = {dose: sum(p) / len(p) for (name, dose), p in sorted(doses.items()) if name == compound}
    print(f"  {compound:12}", "  ".join(f"{dose}: {value:.3f}" for dose, value in mean.items()))
    print(f"  {'':12} Spearman correlation with dose: {spearman(list(mean), list(mean.values())):.3f}")
