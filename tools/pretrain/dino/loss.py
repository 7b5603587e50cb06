"""The objective: the student predicts, from any view, what the teacher says of a global one."""

import torch
import torch.nn.functional as F
from torch import nn


class Head(nn.Module):
    """Class tokens to prototype scores: an MLP, then the cosine to each prototype. Not part of the backbone."""

    def __init__(self, width, prototypes, hidden=512, bottleneck=128):
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, bottleneck))
        self.prototypes = nn.Parameter(F.normalize(torch.randn(prototypes, bottleneck), dim=1))

    def forward(self, tokens):
        return F.normalize(self.mlp(tokens), dim=-1) @ F.normalize(self.prototypes, dim=1).T


@torch.no_grad()
def sinkhorn(scores, temperature, rounds=3):
    """Soft assignments [B, K] in which every prototype has the same share of the batch.

    Source: Caron et al., "Unsupervised learning of visual features by contrasting cluster assignments", 2020.
    """
    scores = scores.float() / temperature
    q = torch.exp(scores - scores.max())
    for _ in range(rounds):
        q = q / q.sum(0, keepdim=True).clamp_min(1e-30)
        q = q / q.sum(1, keepdim=True).clamp_min(1e-30)
    return q


class Centering:
    """Soft assignments by subtracting a running mean of the scores.

    Source: Caron et al., "Emerging properties in self-supervised vision transformers", 2021.
    """

    def __init__(self, momentum=0.9):
        self.momentum, self.center = momentum, None

    @torch.no_grad()
    def __call__(self, scores, temperature):
        mean = scores.float().mean(0, keepdim=True)
        if self.center is None:
            self.center = mean
        targets = F.softmax((scores.float() - self.center) / temperature, dim=1)
        self.center = self.momentum * self.center + (1 - self.momentum) * mean
        return targets


def cross_entropy(targets, scores, temperature):
    return -(targets * F.log_softmax(scores.float() / temperature, dim=1)).sum(1).mean()


def spread(tokens):
    """KoLeo: minus the log distance of each token to its nearest neighbour, so that a batch fills the sphere.

    Source: Sablayrolles et al., "Spreading vectors for similarity search", 2019.
    """
    tokens = F.normalize(tokens.float(), dim=1)
    with torch.no_grad():
        similarity = tokens @ tokens.T
        nearest = similarity.fill_diagonal_(-1).argmax(1)
    return -torch.log((tokens - tokens[nearest]).norm(dim=1) + 1e-6).mean()
