"""How many multiply-adds a model takes: those of its matrix products, counted from the shapes of its tensors."""

import json
import struct


def multiply_adds(path, size):
    """Of one image: all of the model's, and those that the class token behind the last block depends on (there,
    queries, projection and MLP of the other tokens are not needed)."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    width, inputs, patch, _ = header["patch_embed.proj.weight"]["shape"]
    hidden = header["blocks.0.mlp.fc1.weight"]["shape"][0]
    depth = 1 + max(int(name.split(".")[1]) for name in header if name.startswith("blocks."))
    patches = (size // patch) ** 2
    tokens = patches + 1

    def block(queries):
        keys_and_values = 2 * tokens * width * width
        query_and_projection = 2 * queries * width * width
        scores_and_context = 2 * queries * tokens * width
        return keys_and_values + query_and_projection + scores_and_context + 2 * queries * width * hidden

    embedding = patches * width * inputs * patch * patch
    return {"all": embedding + depth * block(tokens), "needed": embedding + (depth - 1) * block(tokens) + block(1)}
