"""What the rivals' processes share: load a model, then answer requests, one line of JSON each way.

    {"batch": 8, "seconds": 2}              -> {"seconds": [...], "peakByteCount": ...}
    {"embed": "x.npy", "to": "y.npy", "batch": 8} -> {}

The first line, without a request, is {"loadSeconds": ...}: from the start of reading the model until one image is
embedded. The import of the library is not in it.
"""

import argparse
import json
import os
import pathlib
import sys
import time

import numpy as np


def serve(load):
    """`load(options)` gives a function from images to embeddings, both NumPy."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=pathlib.Path, required=True, help="folder that prepare.py wrote")
    parser.add_argument("--precision", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()
    # What libraries print goes to stderr; the answers have stdout for themselves.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(**values):
        print(json.dumps(values), file=answers, flush=True)

    images = np.load(options.files / "images.npy", mmap_mode="r")
    start = time.perf_counter()
    embed = load(options)
    embed(batch_of(images, 1))
    answer(loadSeconds=time.perf_counter() - start)
    for line in sys.stdin:
        request = json.loads(line)
        if "embed" in request:
            vectors = embed_all(embed, np.load(request["embed"]), request["batch"])
            np.save(request["to"], vectors)
            answer()
        else:
            seconds = measure(embed, batch_of(images, request["batch"]), request["seconds"])
            answer(seconds=seconds, peakByteCount=peak_byte_count())


def batch_of(images, count):
    """The first `count` images, beginning anew where there are fewer; a copy in memory."""
    return np.stack([images[number % len(images)] for number in range(count)])


def embed_all(embed, images, batch):
    """In batches of one size, since some libraries compile for each size."""
    chunks = [images[start:start + batch] for start in range(0, len(images), batch)]
    return np.concatenate([embed(batch_of(chunk, batch))[:len(chunk)] for chunk in chunks]).astype(np.float32)


def measure(embed, batch, seconds):
    """Seconds of each batch, after one to warm up."""
    embed(batch)
    end = time.perf_counter() + seconds
    found = []
    while not found or time.perf_counter() < end:
        start = time.perf_counter()
        embed(batch)
        found.append(time.perf_counter() - start)
    return found


def peak_byte_count():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))
