"""PyTorch, eager or compiled: float32, or bfloat16 by autocast."""

import contextlib

import torch
import torch._inductor.config
from model import VisionTransformer
from subject import serve


def load(options):
    torch.set_num_threads(options.threads)
    torch.set_num_interop_threads(1)
    model = VisionTransformer(options.files / "model.safetensors")
    if options.compile:
        torch._inductor.config.freezing = True
        model = torch.compile(model, dynamic=False)
    is_narrow = options.precision == "bfloat16"

    def embed(images):
        precision = torch.autocast("cpu", torch.bfloat16) if is_narrow else contextlib.nullcontext()
        with torch.no_grad(), precision:
            return model(torch.from_numpy(images)).float().numpy()

    return embed


serve(load)
