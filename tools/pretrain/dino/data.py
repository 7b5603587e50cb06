"""Sets of crops as `cellvec crops` writes them, and labels to score a backbone with."""

import csv
import dataclasses

import numpy as np
import torch


@dataclasses.dataclass
class CropSet:
    """Crops [cells, channels, side, side], float32, mapped from a .npy file, with the role of each channel."""

    path: str
    pixels: np.ndarray
    roles: list

    @classmethod
    def parse(cls, text):
        """"crops.npy:nucleus,protein"."""
        path, _, roles = text.rpartition(":")
        if not path or not roles or "/" in roles:
            raise SystemExit(f"{text}: expected crops.npy:roles, as in crops.npy:nucleus,protein")
        try:
            pixels = np.load(path, mmap_mode="r")
        except (OSError, ValueError) as error:
            raise SystemExit(f"{path}: cannot be read as a .npy file ({error}); write it with cellvec crops") from None
        roles = roles.split(",")
        if pixels.ndim != 4 or pixels.shape[2] != pixels.shape[3]:
            raise SystemExit(f"{path}: expected crops [cells, channels, side, side], found {pixels.shape}")
        if pixels.shape[1] != len(roles):
            raise SystemExit(f"{path}: expected {len(roles)} channels ({', '.join(roles)}), found {pixels.shape[1]}")
        return cls(path, pixels, roles)

    def read(self, indices, inputs):
        """Crops by the roles of the model's inputs, [B, C, side, side], zeros for absent ones; which are there."""
        unknown = [role for role in self.roles if role not in inputs]
        if unknown:
            raise SystemExit(
                f"{self.path}: the model has no input {', '.join(unknown)}; its inputs are {', '.join(inputs)}: "
                "name others with --inputs, or the channels otherwise")
        batch = np.zeros((len(indices), len(inputs), *self.pixels.shape[2:]), np.float32)
        pixels = self.pixels[np.sort(indices)]
        for channel, role in enumerate(self.roles):
            batch[:, inputs.index(role)] = pixels[:, channel]
        present = torch.tensor([role in self.roles for role in inputs])
        return torch.from_numpy(batch), present.expand(len(indices), -1)


class Sampler:
    """Batches over several sets; a set's share grows with the square root of its size."""

    def __init__(self, sets, inputs, batch, seed):
        self.sets, self.inputs, self.batch, self.seed = sets, inputs, batch, seed
        sizes = np.array([len(crops.pixels) for crops in sets], float) ** 0.5
        self.shares = sizes / sizes.sum()
        self.sides = {crops.pixels.shape[-1] for crops in sets}
        if len(self.sides) != 1:
            raise SystemExit(f"crops of one size are needed, found {sorted(self.sides)} px")

    def __call__(self, step):
        """The batch of a step depends on seed and step alone, so that a resumed run goes on as if never stopped."""
        random = np.random.default_rng([self.seed, step])
        counts = random.multinomial(self.batch, self.shares)
        parts = [
            crops.read(random.choice(len(crops.pixels), count, replace=count > len(crops.pixels)), self.inputs)
            for crops, count in zip(self.sets, counts) if count
        ]
        return torch.cat([pixels for pixels, _ in parts]), torch.cat([present for _, present in parts])


@dataclasses.dataclass
class LabelledSet:
    """Crops with one label text each, and the groups (wells, genes) that must not help one another."""

    crops: CropSet
    labels: list
    groups: list
    rows: np.ndarray

    @classmethod
    def parse(cls, text, limit=1500, seed=0):
        """"crops.npy:roles:cells.csv:label column:group column"; cells without label are left out."""
        if text.count(":") < 4:
            raise SystemExit(f"{text}: expected crops.npy:roles:cells.csv:label column:group column")
        head, table, label, group = text.rsplit(":", 3)
        crops = CropSet.parse(head)
        try:
            with open(table, newline="") as file:
                lines = list(csv.DictReader(file))
        except OSError as error:
            raise SystemExit(f"{table}: cannot be read ({error.strerror})") from None
        for column in (label, group):
            if lines and column not in lines[0]:
                raise SystemExit(f"{table}: has no column {column}; it has {', '.join(lines[0])}")
        if len(lines) != len(crops.pixels):
            raise SystemExit(f"{table}: expected {len(crops.pixels)} lines, found {len(lines)}")
        rows = np.array([index for index, line in enumerate(lines) if line[label]])
        if len(rows) < 2:
            raise SystemExit(f"{table}: expected cells with a {label}, found {len(rows)}")
        if len(rows) > limit:
            rows = np.sort(np.random.default_rng(seed).choice(rows, limit, replace=False))
        return cls(crops, [lines[row][label] for row in rows], [lines[row][group] for row in rows], rows)
