"""The graph of a space, read from schema/store.md and Sources/Kernels/include/kernels_codes.h alone."""

import struct

import numpy

import index_tables
from index_tables import CENTRES, GROUP, decoded

VERTICES, ENTRIES = 5, 6
NOBODY = 0xFFFFFFFF
# Of a number in steps: what is computed in float32 may lie on the other side of a half.
STEP_TOLERANCE = 0.51


def key(space):
    return struct.pack(">HB", space["id"], 2)


class Graph(index_tables.Derived):
    """The graph of a space."""

    def __init__(self, tables, space, require):
        super().__init__(tables, space, key(space), 6, require)

    def compare(self, rows, vectors):
        """Compares every vertex with the vector of its row, where that is still what it was, and every code with the
        vertex that it is of. `vectors` [rows, dimension] are those of `rows`, all of the space; returns how many codes
        there are."""
        place = {row: number for number, row in enumerate(rows)}
        count, width, segment = self.record["vertexCount"], self.width, self.record["segment"]
        group, size = 4 * width + 12 * GROUP, 5 * width + 448
        records = self.items(segment, VERTICES, count, size)
        records = [records[start:start + size] for start in range(0, count * size, size)]
        steps = numpy.stack([numpy.frombuffer(record, "i1", width, group) for record in records])
        step = numpy.array([struct.unpack_from("<f", record, group + width)[0] for record in records])
        row_of = [struct.unpack_from("<I", record, group + width + 4)[0] for record in records]
        self.require(not any(any(record[group + width + 8:]) for record in records), "vertices end with zeros")
        held = [vertex for vertex in range(count) if row_of[vertex] in self.rows]
        self.require(sorted(row_of[vertex] for vertex in held) == list(self.rows), "each row in the graph has a vertex")
        turned = self.rotated(vectors[[place[row_of[vertex]] for vertex in held]])
        self.require(numpy.allclose(step[held] * 127, abs(turned).max(axis=1), rtol=1e-5, atol=0),
                     "127 steps are a vertex's largest number")
        self.require((abs(turned / step[held][:, None] - steps[held]) <= STEP_TOLERANCE).all(),
                     "vertices are the vectors in steps")

        shown = steps * step[:, None]
        codes = 0
        for vertex, record in enumerate(records):
            codes += self.compare_group(record[:group], shown, shown[vertex], f"an edge of vertex {vertex}")
        centre = numpy.frombuffer(self.items(segment, CENTRES, 1, 4 * width), "<f4").astype("f8")
        entries, left = self.record["entryCount"], self.record["entryCount"]
        groups = self.items(segment, ENTRIES, -(-entries // GROUP), group)
        for start in range(0, len(groups), group):
            codes += self.compare_group(groups[start:start + group], shown, centre, "an entry", min(GROUP, left))
            left -= GROUP
        return codes

    def compare_group(self, group, vertices, centre, name, count=None):
        """Compares the first `count` codes of a group, or those before the first that is of no vertex."""
        bits, a, g, numbers = decoded(group, self.width)
        if count is None:
            count = GROUP if NOBODY not in numbers else int(numpy.argmax(numbers == NOBODY))
            self.require((numbers[count:] == NOBODY).all(), "no vertex stands behind the last edge")
        numbers = numbers[:count]
        self.require((numbers < len(vertices)).all(), f"{name} leads to a vertex")
        self.compare_codes(vertices[numbers], centre, bits[:count], a[:count], g[:count], name)
        return count
