"""A trained backbone as a safetensors file with DINO's names, and its model card."""

import hashlib
import json
import struct

import torch

DTYPES = {
    "float16": (torch.float16, "F16"), "bfloat16": (torch.bfloat16, "BF16"), "float32": (torch.float32, "F32")}


def safetensors(tensors, metadata, precision):
    """The bytes of a file: the same tensors give the same bytes, which the library's own writer does not promise
    of metadata, and cellvec names a backbone by the hash of its file."""
    dtype, name = DTYPES[precision]
    header, parts, offset = {"__metadata__": metadata}, [], 0
    for key, value in sorted(tensors.items()):
        data = value.detach().to("cpu", dtype).contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        header[key] = {"dtype": name, "shape": list(value.shape), "data_offsets": [offset, offset + len(data)]}
        parts.append(data)
        offset += len(data)
    text = json.dumps(header, sort_keys=True).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([struct.pack("<Q", len(text)), text, *parts])


def export(model, path, options, history, precision):
    tensors = model.state_dict()
    metadata = {
        "format": "pt", "family": "dino", "num_heads": str(model.heads), "inputs": ",".join(options.inputs),
        "normalization": "self", "image_size": str(options.image_size), "pooling": options.pooling,
        "rotations": str(options.rotations),
    }
    data = safetensors(tensors, metadata, precision)
    with open(path, "wb") as file:
        file.write(data)
    return {
        "file": path.rsplit("/", 1)[-1], "sha256": hashlib.sha256(data).hexdigest(), "precision": precision,
        "parameters": sum(value.numel() for value in tensors.values()),
        "architecture": {
            key: getattr(options, key) for key in ("width", "depth", "heads", "patch", "image_size", "inputs")},
        "training": {
            "method": "DINO", "data": options.names or options.data, "licence": options.licence, "seed": options.seed,
            "steps": history["step"], "images_seen": history["images"], "hours": round(history["seconds"] / 3600, 2),
            "batch": options.batch, "options": {
                key: getattr(options, key) for key in
                ("pair", "composed", "global_scale", "local_scale", "local_views", "local_size", "context", "stretch",
                 "gamma", "blur", "noise", "view_noise", "replicate", "drop", "swap", "bleed", "bleed_share", "keep",
                 "prototypes",
                 "assignment", "learning_rate", "weight_decay", "momentum", "koleo")},
        },
        "scores": history["scores"][-1] if history["scores"] else {},
    }


def write_card(card, path):
    with open(path, "w") as file:
        json.dump(card, file, indent=2)
        file.write("\n")
