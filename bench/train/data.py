"""Vectors of labelled cells: each class adds its own direction, each group of 50 cells an effect of its own, the rest
is noise whose dimensions differ in scale and mean."""

import argparse
import pathlib

import numpy

CELLS_OF_A_GROUP = 50


def simulate(rows, dimension, classes, seed=1):
    """Returns vectors [rows, dimension] as float32, labels [rows, classes], groups [rows]. Classes are from 30 % to 2 % of
    the groups, as OpenCell's are; all cells of a group have its labels."""
    random = numpy.random.default_rng(seed)
    count = -(-rows // CELLS_OF_A_GROUP)
    frequency = numpy.geomspace(0.3, 0.02, classes)
    labels = random.random((count, classes)) < frequency
    bare = ~labels.any(axis=1)
    labels[bare, random.integers(0, classes, bare.sum())] = True
    directions = random.standard_normal((classes, dimension)) * 2.2 / numpy.sqrt(dimension)
    centers = labels @ directions + random.standard_normal((count, dimension)) * 0.5 / numpy.sqrt(dimension)
    scales = 4 / numpy.sqrt(1 + numpy.arange(dimension))
    means = scales * random.standard_normal(dimension) * 2
    groups = numpy.arange(rows) // CELLS_OF_A_GROUP
    vectors = numpy.empty((rows, dimension), numpy.float32)
    for start in range(0, rows, 4096):
        part = groups[start:start + 4096]
        noise = random.standard_normal((len(part), dimension)) * 0.5
        vectors[start:start + 4096] = (centers[part] + noise) * scales + means
    return vectors, labels[groups], groups


def write(folder, vectors, labels, groups):
    numpy.save(folder / "vectors.npy", vectors)
    numpy.savez(folder / "labels.npz", labels=labels, groups=groups)
    with open(folder / "cells.csv", "w") as file:
        file.write("gene,localization\n")
        for row, group in zip(labels, groups):
            file.write(f"G{group},{';'.join(f'c{c:02}' for c in numpy.flatnonzero(row))}\n")


def folds(labels, groups, seed):
    """Five folds of whole groups."""
    order = numpy.random.default_rng(seed).permutation(groups.max() + 1)
    return (order % 5)[groups]


def macro_f1(labels, predicted):
    hits = (labels & predicted).sum(axis=0)
    present = labels.any(axis=0)
    return float((2 * hits / (labels.sum(axis=0) + predicted.sum(axis=0)))[present].mean())


def options():
    """The options of a rival's command line: where the data are, and how heads are trained."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    for name in ["epochs", "seed", "batch"]:
        parser.add_argument(f"--{name}", type=int)
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--rate", type=float)
    parser.add_argument("--decay", type=float)
    parser.add_argument("--hidden", type=lambda text: [int(width) for width in text.split(",") if width], default=[])
    return parser.parse_args()
