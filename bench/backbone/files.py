"""The files of one model: weights that `cellvec models seed` wrote, and what prepare.py makes of them."""

import dataclasses
import pathlib
import subprocess
import sys

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

HERE = pathlib.Path(__file__).resolve().parent
MODELS = {
    "s16": dict(width=384, patch=16),
    "s8": dict(width=384, patch=8),
    "b16": dict(width=768, patch=16),
    "dinov2-s14": dict(width=384, patch=14),
}


@dataclasses.dataclass
class ModelFiles:
    folder: pathlib.Path
    size: int

    @property
    def weights(self):
        return self.folder / "model.safetensors"


def make(program, name, size, rivals, work):
    files = ModelFiles(work / name, size)
    files.folder.mkdir()
    shape = MODELS[name]
    subprocess.run(
        [program, "models", "seed", files.weights, "--width", str(shape["width"]), "--depth", "12", "--patch",
         str(shape["patch"]), "--image-size", str(size), "--inputs", "red,green,blue", "--seed", "1", "--quiet"],
        check=True)
    if name.startswith("dinov2"):
        add_layer_scale(files.weights)
    with open(files.folder / "prepare.log", "w") as log:
        done = subprocess.run(
            [sys.executable, HERE / "prepare.py", files.folder, str(size), *rivals], stdout=log, stderr=log)
    if done.returncode != 0:
        sys.exit(f"bench: {(files.folder / 'prepare.log').read_text()}\nbench: {name} could not be prepared")
    return files


def add_layer_scale(path):
    """DINOv2 scales residual branches by a learned vector, which `models seed` does not make."""
    with safe_open(path, framework="np") as file:
        tensors, metadata = {name: file.get_tensor(name) for name in file.keys()}, file.metadata()
    generator = np.random.default_rng(1)
    for name in [name for name in tensors if name.endswith("norm1.bias")]:
        for scale in ["ls1", "ls2"]:
            gamma = generator.uniform(0.2, 0.8, tensors[name].shape).astype(np.float32)
            tensors[name.replace("norm1.bias", f"{scale}.gamma")] = gamma
    save_file(tensors, path, metadata)
