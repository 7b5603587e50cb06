"""Sets of crops as `cellvec crops` writes them, partners of cells, and labels to score a backbone with."""

import csv
import dataclasses

import numpy as np
import torch

from .compose import BODY, compose


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
        pixels = self.pixels[indices]
        for channel, role in enumerate(self.roles):
            batch[:, inputs.index(role)] = pixels[:, channel]
        present = torch.tensor([role in self.roles for role in inputs])
        return torch.from_numpy(batch), present.expand(len(indices), -1)


@dataclasses.dataclass
class Cells:
    """Cells to train on, each with the cells that show the same protein or treatment as far as the table knows."""

    crops: CropSet
    partners: list | None

    @classmethod
    def parse(cls, text):
        """"crops.npy:roles", or "crops.npy:roles:cells.csv:column" where cells of one value belong together."""
        if text.count(":") < 3:
            return cls(CropSet.parse(text), None)
        head, table, column = text.rsplit(":", 2)
        crops = CropSet.parse(head)
        values = [line[column] for line in read_table(table, [column], len(crops.pixels))]
        alike = {}
        for row, value in enumerate(values):
            alike.setdefault(value, []).append(row)
        return cls(crops, [alike[value] if value else [row] for row, value in enumerate(values)])

    def draw(self, random, count, inputs, pair):
        """Pairs stacked along the height [count, C, 2 side, side], and which inputs are there. A share of `pair` of
        the cells come with a partner, the others with themselves."""
        size = len(self.crops.pixels)
        first = random.choice(size, count, replace=count > size)
        second = first.copy()
        for place in np.flatnonzero(random.random(count) < pair if self.partners else []):
            second[place] = random.choice(self.partners[first[place]])
        pixels, present = self.crops.read(np.concatenate([first, second]), inputs)
        return torch.cat(pixels.chunk(2), 2), present[:count]


@dataclasses.dataclass
class Layers:
    """Layered simulated cells, out of which pairs of cells with one made-up protein are composed."""

    crops: CropSet

    @classmethod
    def parse(cls, text, inputs):
        """"crops.npy:nucleus,nucleoplasm,..."."""
        crops = CropSet.parse(text)
        missing = [role for role in BODY if role not in crops.roles]
        if missing or crops.roles[0] != "nucleus":
            raise SystemExit(f"{crops.path}: expected the channels of cellvec simulate --layers, the nucleus first, "
                             f"found {', '.join(crops.roles)}")
        if "nucleus" not in inputs or "protein" not in inputs:
            raise SystemExit(f"--layers: expected --inputs with nucleus and protein, found {', '.join(inputs)}")
        return cls(crops)

    def draw(self, random, count, inputs, pair):
        del pair  # These always differ: there are more proteins than cells.
        names = self.crops.roles[1:]
        rows = random.choice(len(self.crops.pixels), 2 * count, replace=2 * count > len(self.crops.pixels))
        pixels = torch.from_numpy(self.crops.pixels[rows])
        pixels = torch.cat(pixels.chunk(2), 2)
        images = torch.zeros(count, len(inputs), *pixels.shape[2:])
        reference, protein = compose(pixels[:, 0], pixels[:, 1:], names)
        images[:, inputs.index("nucleus")], images[:, inputs.index("protein")] = reference, protein
        present = torch.tensor([role in ("nucleus", "protein") for role in inputs])
        return images, present.expand(count, -1)


class Sampler:
    """Batches over several sets; a set's share grows with the square root of its size, but for layered ones, which
    have the share `composed` together."""

    def __init__(self, cells, layers, options):
        self.sets, self.options = [*cells, *layers], options
        composed = options.composed if layers else 0
        self.shares = np.concatenate(
            [part * shares(sets) for part, sets in ((1 - composed, cells), (composed, layers))])
        sides = {one.crops.pixels.shape[-1] for one in self.sets}
        if len(sides) != 1:
            raise SystemExit(f"crops of one size are needed, found {sorted(sides)} px")

    def __call__(self, step):
        """The batch of a step depends on seed and step alone, so that a resumed run goes on as if never stopped."""
        o = self.options
        random = np.random.default_rng([o.seed, step])
        counts = random.multinomial(o.batch, self.shares)
        parts = [one.draw(random, count, o.inputs, o.pair) for one, count in zip(self.sets, counts) if count]
        return torch.cat([pixels for pixels, _ in parts]), torch.cat([present for _, present in parts])


def shares(sets):
    """Shares of sets among themselves, by the square root of their sizes."""
    roots = np.array([len(one.crops.pixels) for one in sets], float) ** 0.5
    return roots / max(1, roots.sum())


def read_table(path, columns, count):
    """The lines of a table with one line for each of `count` crops."""
    try:
        with open(path, newline="") as file:
            lines = list(csv.DictReader(file))
    except OSError as error:
        raise SystemExit(f"{path}: cannot be read ({error.strerror})") from None
    for column in columns:
        if lines and column not in lines[0]:
            raise SystemExit(f"{path}: has no column {column}; it has {', '.join(lines[0])}")
    if len(lines) != count:
        raise SystemExit(f"{path}: expected {count} lines, found {len(lines)}")
    return lines


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
        lines = read_table(table, [label, group], len(crops.pixels))
        rows = np.array([index for index, line in enumerate(lines) if line[label]])
        if len(rows) < 2:
            raise SystemExit(f"{table}: expected cells with a {label}, found {len(rows)}")
        if len(rows) > limit:
            rows = np.sort(np.random.default_rng(seed).choice(rows, limit, replace=False))
        return cls(crops, [lines[row][label] for row in rows], [lines[row][group] for row in rows], rows)
