"""How good a backbone is while it trains: nearest neighbours of cells, their own group left out."""

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from .augment import central, standardize
from .data import CropSet
from .vit import VisionTransformer, pooled


@torch.no_grad()
def embed(model, crops, rows, inputs, context, pooling="class-mean", batch=256):
    """Vectors [rows, D or 2 D] of a set's crops, as `cellvec` embeds them with `--strategy map`."""
    model.eval()
    device = next(model.parameters()).device
    vectors = []
    for part in np.array_split(rows, max(1, -(-len(rows) // batch))):
        pixels, _ = crops.read(part, inputs)
        side = model.grid * model.patch
        if pixels.shape[-1] != side:
            pixels = central(pixels, context)
        vectors.append(pooled(model(standardize(pixels).to(device)).float().cpu(), pooling))
    return torch.cat(vectors)


def neighbour_accuracy(vectors, labels, groups, k=20):
    """Share of cells whose k most similar cells of other groups have the cell's label by most votes, each
    exp(similarity / 0.07); mean over labels, so that rare ones count as much."""
    vectors = torch.nn.functional.normalize(vectors, dim=1)
    names = sorted(set(labels))
    label = torch.tensor([names.index(text) for text in labels])
    kinds = sorted(set(groups))
    group = torch.tensor([kinds.index(text) for text in groups])
    similarity = vectors @ vectors.T
    similarity[group[:, None] == group[None, :]] = -2
    nearest = similarity.topk(min(k, len(labels) - 1), dim=1)
    votes = torch.zeros(len(labels), len(names))
    votes.scatter_add_(1, label[nearest.indices], torch.exp(nearest.values / 0.07))
    right = votes.argmax(1) == label
    return float(np.mean([right[label == index].float().mean() for index in range(len(names))]))


@torch.no_grad()
def embed_file(weights, crops, context):
    """The inputs [cells, C, S, S] and class tokens [cells, D] of a set of crops, by a file of weights."""
    state = {name: value.float() for name, value in load_file(weights).items()}
    with safe_open(weights, "pt") as file:
        metadata = file.metadata()
    inputs, width = metadata["inputs"].split(","), state["cls_token"].shape[-1]
    depth = len({name.split(".")[1] for name in state if name.startswith("blocks.")})
    model = VisionTransformer(
        width, depth, int(metadata["num_heads"]), state["patch_embed.proj.weight"].shape[-1], len(inputs),
        int(metadata["image_size"])).eval()
    model.load_state_dict(state)
    crops = CropSet.parse(crops)
    pixels, _ = crops.read(np.arange(len(crops.pixels)), inputs)
    images = standardize(central(pixels, context))
    return images.numpy(), model(images)[:, 0].numpy()
