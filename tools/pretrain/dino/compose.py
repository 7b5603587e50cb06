"""Proteins made up on the way: one recipe of places in a cell, mixed into two cells out of layered simulated ones."""

import torch

# What `cellvec simulate --layers` leaves in a pixel without stain, and adds for one full of it, in 65535ths.
DARK, FULL = 448 / 65535, 600 * 24 / 65535
# What makes up the body of a cell.
BODY = ("cytosol", "nucleoplasm")


def compose(nucleus, layers, names):
    """Mixes layers by one recipe for each pair of cells, and exposes them.

    nucleus [B, S, S], layers [B, L, S, S] with the location `names` of the L; B is any number of pairs, the two cells
    of a pair stacked along the height. -> (reference, protein), each [B, S, S], without offset. The reference is the
    nucleus for half of the pairs and else the body of the cell or some structure, as labs have them.
    """
    count = len(layers)
    nucleus, layers = (nucleus - DARK) / FULL, (layers - DARK) / FULL
    protein = mixture(count, len(names))
    body = torch.zeros(count, len(names))
    body[:, names.index(BODY[0])] = 1
    body[:, names.index(BODY[1])] = torch.rand(count)
    protein += body * (0.4 * torch.rand(count) * (torch.rand(count) < 0.5))[:, None]
    kind = torch.rand(count)
    reference = torch.where((kind < 0.3)[:, None], body, mixture(count, len(names)))
    reference[kind >= 0.5] = 0
    stain = torch.where(kind >= 0.4, 1.0, 0.0)  # between 0.4 and 0.5, over a structure
    mixed = lambda shares: torch.einsum("bl,blhw->bhw", shares, layers)
    return expose(mixed(reference) + stain[:, None, None] * nucleus), expose(mixed(protein))


def mixture(count, size):
    """One to three locations with shares of up to 1. -> [count, size]"""
    order = torch.rand(count, size).argsort(1)
    places = torch.multinomial(torch.tensor([0.45, 0.35, 0.2]), count, replacement=True)
    shares = 0.15 + 0.85 * torch.rand(count, size)
    return torch.where(order == 0, 1.0, shares) * (order <= places[:, None])


def expose(light):
    """Shot and read-out noise of an exposure of 2 to 300 photons where a structure is full. [B, S, S]"""
    photons = torch.exp(torch.empty(len(light), 1, 1).uniform_(0.7, 5.7))
    deviation = (light.clamp_min(0) * photons + 4).sqrt() / photons
    return light + deviation * torch.randn_like(light)
