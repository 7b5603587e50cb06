"""Command line of the pretraining."""

import argparse
import sys

import numpy as np

from .score import embed_file
from .train import train


def numbers(text):
    low, high = (float(part) for part in text.split(","))
    return low, high


def embed_crops(options):
    images, vectors = embed_file(options.weights, options.crops, options.context)
    np.save(options.input, images)
    np.save(options.output, vectors)


def compare(options):
    difference = np.abs(np.subtract(*map(np.load, options.arrays))).max()
    print(f"largest difference {difference:.1e}")
    sys.exit(0 if difference <= options.bound else 1)


def main():
    parser = argparse.ArgumentParser(prog="tools/pretrain/run", description="DINO pretraining on crops of cells.")
    verbs = parser.add_subparsers(required=True)
    p = verbs.add_parser(
        "train", formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        help="train, or go on with the run of this --output")
    p.set_defaults(run=train)
    p.add_argument("--data", nargs="+", required=True, metavar="CROPS.npy:ROLES[:CELLS.csv:COLUMN]",
                   help="crops and their channels; cells of one value in a column (gene, well) belong together")
    p.add_argument("--layers", nargs="*", default=[], metavar="CROPS.npy:nucleus,LOCATIONS",
                   help="crops of `cellvec simulate --layers`, to make proteins up from")
    p.add_argument("--score", nargs="*", default=[], metavar="CROPS.npy:ROLES:CELLS.csv:LABEL:GROUP",
                   help="labelled crops for the kNN score, never trained on by their labels")
    p.add_argument("--output", required=True, help="folder for checkpoint, weights and card")
    p.add_argument("--name", default="backbone", help="of the weights")
    p.add_argument("--names", nargs="*", help="what the card calls the data; the paths by default")
    p.add_argument("--licence", default="unstated", help="of the data, for the card")
    p.add_argument("--inputs", type=lambda text: text.split(","), default=["nucleus", "protein"],
                   help="roles of the model's inputs, separated by commas")

    g = p.add_argument_group("model")
    g.add_argument("--width", type=int, default=192, help="numbers in a token")
    g.add_argument("--depth", type=int, default=6, help="blocks")
    g.add_argument("--heads", type=int, default=3, help="attention heads of a block")
    g.add_argument("--patch", type=int, default=8, help="side of a patch, pixels")
    g.add_argument("--image-size", type=int, default=64, help="side of a global view, pixels")
    g.add_argument("--pooling", choices=["class", "mean", "class-mean"], default="class-mean",
                   help="what an embedding is made of")
    g.add_argument("--rotations", type=int, choices=[1, 2, 4], default=4,
                   help="quarter turns of a crop whose embeddings cellvec is to average")
    g.add_argument("--init", help="weights to start from, a safetensors file of the same shape")

    g = p.add_argument_group("views")
    g.add_argument("--pair", type=float, default=0.7, help="share of cells that come with another that belongs to them")
    g.add_argument("--composed", type=float, default=0.45, help="share of cells with a made-up protein, with --layers")
    g.add_argument("--context", type=float, default=1.5, help="how much wider the crops were cut than cells are")
    g.add_argument("--global-scale", type=numbers, default=(0.35, 1.5),
                   help="area of a global view, as a share of what a backbone sees of a cell")
    g.add_argument("--local-scale", type=numbers, default=(0.1, 0.4), help="area of a local view")
    g.add_argument("--local-views", type=int, default=4, help="number of local views")
    g.add_argument("--local-size", type=int, default=32, help="side of a local view, pixels")
    g.add_argument("--gamma", type=float, default=0.25, help="SD of the logarithm of gamma")
    g.add_argument("--blur", type=float, default=0.3, help="probability")
    g.add_argument("--swap", type=float, default=0.1, help="share of cells with their channels in reverse order")
    g.add_argument("--bleed", type=float, default=0.3, help="share of cells with some of a channel in the next")
    g.add_argument("--bleed-share", type=float, default=0.8, help="the most of it")
    g.add_argument("--noise", type=float, default=1.2, help="largest SD of a cell's noise, in SDs of the channel")
    g.add_argument("--view-noise", type=float, default=0.15, help="largest SD of a view's noise")
    g.add_argument("--stretch", type=float, default=0.15, help="SD of the logarithm of a view's drawing out")
    g.add_argument("--replicate", type=float, default=0.3, help="share of cells with one channel in all inputs")
    g.add_argument("--drop", type=float, default=0.15, help="share of cells that lack a channel")
    g.add_argument("--keep", type=float, default=0.6, help="share of a global view's patches that the student sees")

    g = p.add_argument_group("optimisation")
    g.add_argument("--steps", type=int, default=0, help="length of the run; or --minutes")
    g.add_argument("--minutes", type=float, default=0, help="length of the run in minutes of work; or --steps")
    g.add_argument("--batch", type=int, default=128, help="cells in a step")
    g.add_argument("--learning-rate", type=float, default=1e-3, help="at its height")
    g.add_argument("--warmup", type=float, default=0.08, help="share of the run in which the rate rises")
    g.add_argument("--weight-decay", type=numbers, default=(0.04, 0.2))
    g.add_argument("--momentum", type=float, default=0.985, help="of the teacher, rising to 1")
    g.add_argument("--prototypes", type=int, default=1024)
    g.add_argument("--assignment", choices=["sinkhorn", "centering"], default="sinkhorn")
    g.add_argument("--teacher-temperature", type=float, default=0.05)
    g.add_argument("--student-temperature", type=float, default=0.1)
    g.add_argument("--koleo", type=float, default=0.1, help="weight of the term that spreads tokens")
    g.add_argument("--drop-path", type=float, default=0.05)
    g.add_argument("--clip", type=float, default=1.0)

    g = p.add_argument_group("run")
    g.add_argument("--seed", type=int, default=1, help="of weights, batches and views")
    g.add_argument("--stop-after", type=int,
                   help="stop after so many steps of this call, 0 just writing the weights; the next call goes on")
    g.add_argument("--device", default="cpu", help="cpu or cuda")
    g.add_argument("--mixed-precision", action="store_true", help="bfloat16 where it is safe")
    g.add_argument("--precision", choices=["float16", "bfloat16", "float32"], default="float16",
                   help="of the weights written")
    g.add_argument("--threads", type=int, default=0, help="0 for PyTorch's own choice")
    g.add_argument("--log-every", type=int, default=10)
    g.add_argument("--score-every", type=int, default=100, help="steps between scores")
    g.add_argument("--save-every", type=int, default=50, help="steps between checkpoints")
    p = verbs.add_parser("embed", help="class tokens of crops, by the model that was trained")
    p.set_defaults(run=embed_crops)
    p.add_argument("weights")
    p.add_argument("crops", metavar="CROPS.npy:ROLES")
    p.add_argument("--input", required=True, help="file for what the model was given, .npy")
    p.add_argument("--output", required=True, help="file for the vectors, .npy")
    p.add_argument("--context", type=float, default=1.5)

    p = verbs.add_parser("compare", help="fail when two arrays differ by more than a bound")
    p.set_defaults(run=compare)
    p.add_argument("arrays", nargs=2)
    p.add_argument("--bound", type=float, required=True)
    options = parser.parse_args()
    if options.run is train and not options.steps and not options.minutes:
        parser.error("name --steps or --minutes")
    options.run(options)


main()
