"""The vision transformer, with the tensor names and the arithmetic of facebookresearch/dino, so that its
`state_dict` is what `cellvec --backbone` reads.

Letters in shapes: B images, C inputs, S side in pixels, T tokens, D width.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

EPSILON = 1e-6


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x):
        count, tokens, width = x.shape
        q, k, v = self.qkv(x).reshape(count, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        x = F.scaled_dot_product_attention(q, k, v)
        return self.proj(x.transpose(1, 2).reshape(count, tokens, width))


class MLP(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    """Pre-norm; in training each residual branch of an image is left out with probability `drop_path`."""

    def __init__(self, width, heads, drop_path):
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=EPSILON)
        self.attn = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width, eps=EPSILON)
        self.mlp = MLP(width, 4 * width)
        self.drop_path = drop_path

    def forward(self, x):
        x = x + self.kept(self.attn(self.norm1(x)))
        return x + self.kept(self.mlp(self.norm2(x)))

    def kept(self, branch):
        if not self.training or self.drop_path == 0:
            return branch
        keep = torch.rand(len(branch), 1, 1, device=branch.device) >= self.drop_path
        return branch * keep / (1 - self.drop_path)


class PatchEmbed(nn.Module):
    def __init__(self, width, patch, inputs):
        super().__init__()
        self.proj = nn.Conv2d(inputs, width, patch, stride=patch)


class VisionTransformer(nn.Module):
    def __init__(self, width=192, depth=6, heads=3, patch=8, inputs=2, image_size=64, drop_path=0.0):
        super().__init__()
        self.patch, self.grid, self.heads = patch, image_size // patch, heads
        self.patch_embed = PatchEmbed(width, patch, inputs)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + self.grid**2, width))
        self.blocks = nn.ModuleList(
            Block(width, heads, drop_path * index / max(1, depth - 1)) for index in range(depth))
        self.norm = nn.LayerNorm(width, eps=EPSILON)
        nn.init.trunc_normal_(self.cls_token, std=0.02)
        nn.init.trunc_normal_(self.pos_embed, std=0.02)
        self.apply(initialize)

    def forward(self, images, keep=1.0):
        """Tokens after the last norm, [B, T, D]: the class token, then the patches.

        `keep` < 1 lets a random share of the patches through, another for each image: cheaper, and a harder task.
        """
        x = self.patch_embed.proj(images).flatten(2).transpose(1, 2)
        x = x + self.positions(images.shape[-2] // self.patch, images.shape[-1] // self.patch)
        if keep < 1:
            kept = torch.rand(x.shape[:2], device=x.device).argsort(1)[:, : math.ceil(keep * x.shape[1])]
            x = x.gather(1, kept[..., None].expand(-1, -1, x.shape[2]))
        first = (self.cls_token + self.pos_embed[:, :1]).expand(len(x), -1, -1)
        x = torch.cat([first, x], 1)
        for block in self.blocks:
            x = block(x)
        return self.norm(x)

    def positions(self, rows, columns):
        """Positions of a grid of patches, [1, rows * columns, D], resized as facebookresearch/dino does it."""
        stored = self.pos_embed[:, 1:]
        if rows == columns == self.grid:
            return stored
        grid = stored.reshape(1, self.grid, self.grid, -1).permute(0, 3, 1, 2)
        factors = ((rows + 0.1) / self.grid, (columns + 0.1) / self.grid)
        grid = F.interpolate(grid, scale_factor=factors, mode="bicubic")
        return grid.permute(0, 2, 3, 1).reshape(1, rows * columns, -1)


def initialize(module):
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)
