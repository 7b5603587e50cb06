"""The vision transformer of DINO and DINOv2 in PyTorch, with the weights of a file that cellvec reads.

Letters in shapes: B images, C inputs, S side in pixels, T tokens, D width.
"""

import torch
import torch.nn.functional as F
from safetensors import safe_open
from torch import nn

EPSILON = 1e-6


class Block(nn.Module):
    def __init__(self, width, heads, has_scale):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = (nn.LayerNorm(width, eps=EPSILON) for _ in range(2))
        self.attn = nn.ModuleDict({"qkv": nn.Linear(width, 3 * width), "proj": nn.Linear(width, width)})
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(width, 4 * width), "fc2": nn.Linear(4 * width, width)})
        if has_scale:
            self.ls1, self.ls2 = (nn.ParameterDict({"gamma": torch.ones(width)}) for _ in range(2))
        self.has_scale = has_scale

    def attend(self, x):
        images, tokens, width = x.shape
        joint = self.attn["qkv"](x).view(images, tokens, 3, self.heads, width // self.heads)
        query, key, value = joint.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(query, key, value)
        return self.attn["proj"](mixed.transpose(1, 2).reshape(images, tokens, width))

    def think(self, x):
        return self.mlp["fc2"](F.gelu(self.mlp["fc1"](x)))

    def forward(self, x):
        branch = self.attend(self.norm1(x))
        x = x + (branch * self.ls1["gamma"] if self.has_scale else branch)
        branch = self.think(self.norm2(x))
        return x + (branch * self.ls2["gamma"] if self.has_scale else branch)


class VisionTransformer(nn.Module):
    """[B, C, S, S] -> class tokens [B, D]; S is the size that the positions are for."""

    def __init__(self, path):
        super().__init__()
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}
            heads = int(file.metadata()["num_heads"])
        width, inputs, patch, _ = tensors["patch_embed.proj.weight"].shape
        depth = 1 + max(int(name.split(".")[1]) for name in tensors if name.startswith("blocks."))
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(inputs, width, patch, patch)})
        self.cls_token = nn.Parameter(torch.empty(1, 1, width))
        self.pos_embed = nn.Parameter(torch.empty_like(tensors["pos_embed"]))
        has_scale = "blocks.0.ls1.gamma" in tensors
        self.blocks = nn.ModuleList(Block(width, heads, has_scale) for _ in range(depth))
        self.norm = nn.LayerNorm(width, eps=EPSILON)
        self.load_state_dict(tensors)
        self.eval().requires_grad_(False)

    def forward(self, images):
        patches = self.patch_embed["proj"](images).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(images.shape[0], -1, -1), patches], 1) + self.pos_embed
        for block in self.blocks:
            x = block(x)
        return self.norm(x[:, 0])
