"""Macro F1 of nearest neighbours, a cell's own group left out."""

import numpy as np

TEMPERATURE = 0.07


def macro_f1(vectors, labels, groups, ks):
    """For each k. `labels` are sets of classes; where every cell has one, the class with most votes is predicted,
    else every class with at least half of the votes. Neighbours are by cosine, votes are exp(similarity / 0.07) as
    in DINO's evaluation. Every component has mean 0 and SD 1 over all cells, as the linear head has them: the classical
    numbers have unlike units, and alike treatment makes the rows of the table comparable."""
    vectors = (vectors - vectors.mean(0)) / (vectors.std(0) + 1e-12)
    vectors = vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-12)
    classes = sorted({label for cell in labels for label in cell})
    truth = np.array([[name in cell for name in classes] for cell in labels])
    group = np.unique(groups, return_inverse=True)[1]
    votes = {k: np.zeros(truth.shape) for k in ks}
    for part in np.array_split(np.arange(len(vectors)), max(1, len(vectors) // 1000)):
        similarity = vectors[part] @ vectors.T
        similarity[group[part][:, None] == group[None]] = -np.inf
        order = np.argsort(-similarity, axis=1, kind="stable")[:, : max(ks)]
        for k in ks:
            weights = np.exp(np.take_along_axis(similarity, order[:, :k], 1) / TEMPERATURE)
            votes[k][part] = (weights[..., None] * truth[order[:, :k]]).sum(1) / weights.sum(1, keepdims=True)
    single = (truth.sum(1) == 1).all()
    return {k: score(truth, predicted(votes[k], single)) for k in ks}


def predicted(votes, single):
    return np.eye(votes.shape[1], dtype=bool)[votes.argmax(1)] if single else votes >= 0.5


def score(truth, guess):
    """Mean over classes of F1, as scikit-learn's average="macro" with zero_division=0."""
    hits = (truth & guess).sum(0)
    return float((2 * hits / np.maximum(truth.sum(0) + guess.sum(0), 1)).mean())
