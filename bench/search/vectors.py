"""Vectors of two kinds: like those of cells, in clusters of uneven size, each spread along a few directions of its own; and in
round clusters of one size, between which there is nothing."""

import numpy


def clustered(count, dimension, seed, clusters=2000, directions=40):
    """count unit vectors [count, dimension] of float32, and the cluster of each; all seeds have the same clusters."""
    shape = numpy.random.default_rng(0)
    decay = numpy.arange(1, dimension + 1) ** -0.6
    turn = numpy.linalg.qr(shape.standard_normal((dimension, dimension)))[0].astype(numpy.float32)
    centres = 1.2 * shape.standard_normal(dimension) * decay + shape.standard_normal((clusters, dimension)) * decay
    bases = [numpy.linalg.qr(shape.standard_normal((dimension, directions)) * decay[:, None] ** 0.5)[0].T
             for _ in range(50)]
    weights = numpy.arange(1, clusters + 1) ** -0.5
    spread = numpy.arange(1, directions + 1) ** -0.55

    random = numpy.random.default_rng(seed + 1)
    members = random.choice(clusters, count, p=weights / weights.sum())
    vectors = numpy.empty((count, dimension), numpy.float32)
    for start in range(0, count, 20_000):
        some = members[start:start + 20_000]
        widths = numpy.exp(0.35 * random.standard_normal((len(some), 1)))
        along = 1.35 * random.standard_normal((len(some), directions)) * spread * widths
        part = centres[some] + 0.03 * random.standard_normal((len(some), dimension))
        for number, base in enumerate(bases):
            of_base = some % len(bases) == number
            part[of_base] += along[of_base] @ base
        part = part.astype(numpy.float32) @ turn
        vectors[start:start + 20_000] = part / numpy.linalg.norm(part, axis=1, keepdims=True)
    return vectors, members


def round_clusters(count, dimension, seed, clusters):
    """As `clustered`: normal deviates of half the centres' about each of them."""
    centres = numpy.random.default_rng(0).standard_normal((clusters, dimension))
    random = numpy.random.default_rng(seed + 1)
    members = random.integers(0, clusters, count)
    vectors = (centres[members] + 0.5 * random.standard_normal((count, dimension))).astype(numpy.float32)
    return vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True), members
