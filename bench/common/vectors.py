"""Vectors for benches in which only their number and size matters."""

import array
import random

import npy

POOL = 10_007


def save(path, rows, dimension):
    """Writes `rows` vectors to a .npy file, a few in memory: the same 10,007 random ones again and again."""
    generator = random.Random(1)
    pool = array.array("f", (generator.uniform(-1, 1) for _ in range(min(POOL, rows) * dimension)))
    parts = (pool[:min(POOL, rows - start) * dimension] for start in range(0, rows, POOL))
    npy.save_arrays(path, (rows, dimension), parts)
