"""The index of a space, read from schema/store.md and Sources/Kernels/include/kernels_codes.h alone."""

import json
import struct

import numpy
import pyroaring
import xxhash

CENTRES, BOUNDS, CODES = 1, 2, 3
ROUNDS, GROUP = 4, 32
# Numbers that are computed in float32, of vectors of length 1.
TOLERANCE = 1e-4


class Derived:
    """What is made of a space's vectors: a record, the rows in it, and the blocks that it names.

    tables: values by key of the tables "indexes" and "codes", without seals.
    record_key: of the record.
    rows_kind: of the row set.
    require: ends the program when a condition does not hold.
    """

    def __init__(self, tables, space, record_key, rows_kind, require):
        self.space, self.require, self.codes_table = space["id"], require, tables["codes"]
        self.record = json.loads(tables["indexes"][record_key])
        self.width = -(-self.record["dimension"] // 64) * 64
        self.rows = pyroaring.BitMap()
        for key, value in tables["indexes"].items():
            if key.startswith(struct.pack(">BHI", rows_kind, self.space, 0)) and len(key) == 9:
                self.rows |= pyroaring.BitMap.deserialize(value)

    def items(self, segment, kind, count, size):
        """`count` items of `size` bytes, out of blocks of as many as fit 64 pages."""
        per_block, content = (64 * 4096 - 16 - 48) // size, b""
        for number in range(-(-count // per_block)):
            used = min(per_block, count - number * per_block)
            value = self.codes_table[struct.pack(">HIBI", self.space, segment, kind, number)]
            header = struct.unpack_from("<4sHBBIIII", value)
            self.require(header == (b"CVC1", self.space, kind, 0, segment, number, size, used),
                         f"block {number} of kind {kind} of segment {segment} has the header of its place")
            items = value[48:48 + used * size]
            self.require(xxhash.xxh3_64_intdigest(items) == struct.unpack_from("<Q", value, 24)[0],
                         f"block {number} of kind {kind} of segment {segment} matches its checksum")
            content += items
        return content

    def rotated(self, vectors):
        """[rows, width]: vectors scaled to length 1 and rotated."""
        width, (count, dimension) = self.width, vectors.shape
        words = [xxhash.xxh3_64_intdigest(struct.pack("<I", word), seed=self.record["seed"])
                 for word in range(ROUNDS * width // 64)]
        signs = numpy.array([-1 if word >> bit & 1 else 1 for word in words for bit in range(64)])
        lengths = numpy.linalg.norm(vectors.astype("f8"), axis=1, keepdims=True)
        turned = numpy.zeros((count, width))
        turned[:, :dimension] = vectors / numpy.where(lengths > 0, lengths, 1)
        window = 1 << width.bit_length() - 1
        for number, of_round in enumerate(signs.reshape(ROUNDS, width)):
            turned *= of_round
            start = (width - window) * (number % 2)
            turned[:, start:start + window] = hadamard(turned[:, start:start + window]) / window ** 0.5
        return turned

    def compare_codes(self, vectors, centre, bits, a, g, name):
        """Compares codes with those that vectors [codes, width] have with a centre [width]."""
        residues = vectors - centre
        told = abs(residues) > TOLERANCE
        self.require((bits == (residues > 0))[told].all(), f"the code of {name} has the signs of its residue")
        along = abs(residues).sum(axis=1) / 2
        factors = (residues ** 2).sum(axis=1) / numpy.where(along > 0, along, 1)
        expected = residues @ centre - factors * (numpy.where(bits, 0.5, -0.5) @ centre)
        for found, values, letter in (g, factors, "g"), (a, expected, "a"):
            self.require((abs(found - values) <= TOLERANCE * numpy.maximum(1, abs(values))).all(),
                         f"factor {letter} of {name} follows from its residue")


class Index(Derived):
    """The index of a space."""

    def __init__(self, tables, space, require):
        super().__init__(tables, space, struct.pack(">H", space["id"]), 5, require)

    def compare(self, rows, vectors):
        """Compares every code that stands for a vector with what it would be. `vectors` [rows, dimension] are those of
        `rows`, all of the space; returns how many codes there are."""
        place = {row: number for number, row in enumerate(rows)}
        self.require(self.rows.issubset(pyroaring.BitMap(rows)), "rows in the index have a vector")
        turned = self.rotated(vectors)
        width, lists = self.width, self.record["listCount"]
        centres = numpy.frombuffer(self.items(self.record["centres"], CENTRES, lists, 4 * width), "<f4")
        centres = centres.reshape(lists, width).astype("f8")
        lists_per_row = self.record["listsPerRow"]
        met = []
        for segment in self.record["segments"]:
            number, count = segment["number"], segment["rowCount"] * lists_per_row
            bounds = numpy.frombuffer(self.items(number, BOUNDS, lists + 1, 4), "<u4")
            self.require(bounds[0] == 0 and bounds[-1] == count and (numpy.diff(bounds.astype("i8")) >= 0).all(),
                         f"the lists of segment {number} follow one another")
            size = 4 * width + 12 * GROUP
            groups = self.items(number, CODES, -(-count // GROUP), size)
            of_list = numpy.repeat(numpy.arange(lists), numpy.diff(bounds.astype("i8")))
            for start in range(0, count, GROUP):
                bits, a, g, named = decoded(groups[start // GROUP * size:(start // GROUP + 1) * size], width)
                for slot in range(min(GROUP, count - start)):
                    if named[slot] in self.rows:
                        row, in_list = int(named[slot]), int(of_list[start + slot])
                        met.append((row, in_list))
                        here = slice(slot, slot + 1)
                        self.compare_codes(turned[[place[row]]], centres[in_list], bits[here], a[here], g[here],
                                           f"cell {row}")
        self.require(len(set(met)) == len(met) and
                     sorted(row for row, _ in met) == [row for row in self.rows for _ in range(lists_per_row)],
                     "each row in the index has its codes, in different lists")
        return len(met)


def hadamard(values):
    count = values.shape[1]
    half = 1
    while half < count:
        pairs = values.reshape(len(values), count // (2 * half), 2, half)
        values = numpy.stack([pairs[:, :, 0] + pairs[:, :, 1], pairs[:, :, 0] - pairs[:, :, 1]], axis=2)
        values = values.reshape(len(values), count)
        half *= 2
    return values


def decoded(group, width):
    """Bits [32, width], a [32], g [32] and rows [32] of a group of codes."""
    columns = numpy.frombuffer(group[:4 * width], "u1").reshape(width // 4, 16)
    vectors = numpy.arange(16) // 2 + 8 * (numpy.arange(16) % 2)
    bits = numpy.zeros((GROUP, width // 4, 4), bool)
    for bit in range(4):
        bits[vectors, :, bit] = (columns >> bit & 1).T
        bits[vectors + 16, :, bit] = (columns >> bit + 4 & 1).T
    a, g = (numpy.frombuffer(group, "<f4", GROUP, 4 * width + offset) for offset in (0, 4 * GROUP))
    return bits.reshape(GROUP, width), a, g, numpy.frombuffer(group, "<u4", GROUP, 4 * width + 8 * GROUP)
