"""Compares backbones by how well labels can be read off their vectors; see `run` beside this."""

import argparse
import csv
import json
import pathlib
import subprocess

import numpy as np

from features import NAMES, features
from neighbours import macro_f1

KS = (1, 5, 20)
# Channels, cells and labels of each set of images. `map` is where a channel goes that the model does not know.
SETS = {
    "bbbc013": dict(
        folder="bbbc013_translocation/png", table="bbbc013_translocation/wells.csv", join=None,
        channels=["nucleus=*_nucleus.png", "protein=*_protein.png"], map=[], labels="label", group="well", folds=5,
        recipe=["--cells", "nuclei", "--crop", "64", "--min-area", "60"], types=["label=list"]),
    "yeast": dict(
        folder="yeast_gfp_cells", table="yeast_gfp_cells/labels.csv", join="cell",
        channels=["cytosol=*_rfp.png", "protein=*_gfp.png"], map=["cytosol=0", "protein=1"], labels="protein",
        group="fov", folds=3, recipe=["--cells", "whole"], types=[]),
    "simulated": dict(
        folder="simulated", table="simulated/metadata.csv", join=None,
        channels=["nucleus=*_nucleus.png", "protein=*_protein.png"], map=[], labels="localization", group="gene",
        folds=5, recipe=["--cells", "masks=*_mask.png", "--crop", "96"], types=[]),
}


def cellvec(*arguments):
    """What a command of cellvec prints."""
    return subprocess.run(["cellvec", *map(str, arguments)], check=True, stdout=subprocess.PIPE, text=True).stdout


def images(name, sets, work):
    """The folder of a set's images and its table; of BBBC013 the control wells alone, which have labels."""
    if name == "yeast":
        return sets / SETS[name]["folder"], sets / SETS[name]["table"]
    folder = work / name
    if name == "simulated":
        if not folder.exists():
            cellvec("simulate", folder, "--fields", 96, "--seed", 1, "--quiet")
        return folder, folder / "metadata.csv"
    table = sets / SETS[name]["table"]
    if not folder.exists():
        folder.mkdir()
        with open(table, newline="") as file:
            wells = {row["well"] for row in csv.DictReader(file) if row["label"]}
        for file in (sets / SETS[name]["folder"]).iterdir():
            if file.name.split("_")[0] in wells:
                (folder / file.name).symlink_to(file.resolve())
    return folder, table


def options(name, table):
    chosen = SETS[name]
    parts = [*chosen["recipe"], "--channels", *chosen["channels"], "--metadata", table]
    if chosen["join"]:
        parts += ["--join", chosen["join"]]
    if chosen["types"]:
        parts += ["--type", *chosen["types"]]
    return parts


def of_backbone(name, weights, strategy, sets, work):
    """A database of the set's cells, embedded."""
    folder, table = images(name, sets, work)
    db = work / f"{name}-{weights['name']}-{strategy}.cellvec"
    choice = ["--strategy", strategy] + (["--map", *SETS[name]["map"]] if strategy == "map" and SETS[name]["map"] else [])
    cellvec("ingest", folder, "--db", db, *options(name, table), *weights["options"], *choice, "--quiet")
    return db


def of_features(name, self_normalized, sets, work):
    """A database of the set's cells with their classical numbers."""
    folder, table = images(name, sets, work)
    crops, cells = work / f"{name}.npy", work / f"{name}.csv"
    if not crops.exists():
        cellvec("crops", folder, "--output", crops, "--table", cells, *options(name, table), "--normalize", "range",
                "--input-size", 64, "--quiet")
    numbers = features(np.load(crops), self_normalized)
    assert numbers.shape[1] == len(NAMES)
    vectors, db = work / "features.npy", work / f"{name}-features-{self_normalized}.cellvec"
    np.save(vectors, numbers.astype(np.float32))
    types = ["--type", *SETS[name]["types"]] if SETS[name]["types"] else []
    cellvec("import", vectors, "--db", db, "--metadata", cells, *types, "--quiet")
    return db


def linear(db, name):
    chosen = SETS[name]
    out = json.loads(cellvec(
        "train", "--db", db, "--labels", chosen["labels"], "--task", "multi", "--group", chosen["group"],
        "--folds", chosen["folds"],
        "--where", f"{chosen['labels']} IS NOT NULL", "--seed", 1, "--json", "--quiet"))
    f1, scores = out["evaluation"]["macro_f1"], out["evaluation"]["per_class"]
    return f1["mean"], f1["sample_sd"], float(np.mean([entry["auroc"] for entry in scores]))


def neighbours(db, name, work):
    vectors, table = work / "vectors.npy", work / "cells.csv"
    cellvec("export", "--db", db, "--vectors", vectors, "--metadata", table, "--quiet",
            "--where", f"{SETS[name]['labels']} IS NOT NULL")
    with open(table, newline="") as file:
        rows = list(csv.DictReader(file))
    labels = [row[SETS[name]["labels"]].split(";") for row in rows]
    groups = np.array([row[SETS[name]["group"]] for row in rows])
    return macro_f1(np.load(vectors), labels, groups, KS)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--images", type=pathlib.Path, required=True)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--strategies", default="map,replicate")
    parser.add_argument("--backbones", nargs="*", default=[], metavar="NAME=FILE", help="besides the bundled one")
    parser.add_argument("--random", required=True, help="random weights in the bundled model's shape")
    parser.add_argument("--options", default="--pooling class-mean --rotations 4", help="more options of ingest, for all backbones")
    chosen = parser.parse_args()
    common = chosen.options.split()
    candidates = [("random", ["--backbone", chosen.random]), ("bundled", [])]
    candidates += [(text.partition("=")[0], ["--backbone", text.partition("=")[2]]) for text in chosen.backbones]

    print("| images | vectors | strategy | linear | AUC | " + " | ".join(f"kNN {k}" for k in KS) + " |")
    print("|---|---|---|---|---|" + "---|" * len(KS))
    for name in chosen.sets.split(","):
        if name != "simulated" and not (chosen.images / SETS[name]["folder"]).is_dir():
            print(f"| {name} | no images at {chosen.images} |", flush=True)
            continue
        for kind, normalized in (("raw", False), ("self-normalised", True)):
            show(name, f"20 numbers, {kind}", "-", of_features(name, normalized, chosen.images, chosen.work), chosen.work)
        for strategy in chosen.strategies.split(","):
            for label, weights in candidates:
                db = of_backbone(
                    name, {"name": label, "options": weights + common}, strategy, chosen.images, chosen.work)
                show(name, label, strategy, db, chosen.work)


def show(name, vectors, strategy, db, work):
    mean, deviation, auc = linear(db, name)
    near = neighbours(db, name, work)
    print(f"| {name} | {vectors} | {strategy} | {mean:.3f} ± {deviation:.3f} | {auc:.3f} | "
          + " | ".join(f"{near[k]:.3f}" for k in KS) + " |", flush=True)


main()
