"""The int8 copies of a space, read from schema/store.md alone."""

import struct

import numpy
import xxhash

GROUP = 16
# Of a shortest length that can be scaled.
LEAST_SCALED = 2.0 ** -118
UNSCALED = 1e30
# Numbers that are computed in float32.
TOLERANCE = 1e-4


def compare(tables, space, checksums, blocks, require):
    """Compares each copy of a block's vectors with what it would be; returns how many vectors have one.

    checksums: by number of a block, what its header says of its vectors.
    blocks: by number of a block, its vectors [slots, dimension] as float32.
    require: ends the program when a condition does not hold.
    """
    dimension = space["dimension"]
    width = -(-dimension // 4) * 4
    size = GROUP * (width + 8)
    copied = 0
    for key, value in tables.get("coarse", {}).items():
        of_space, number = struct.unpack(">HI", key)
        if of_space != space["id"]:
            continue
        magic, owner, zero, block, d, slots, _, vectors, groups = struct.unpack_from("<4sHHIIIIQQ", value)
        require((magic, owner, zero, block, d) == (b"CVQ1", of_space, 0, number, dimension),
                f"the copy of block {number} has the header of its place")
        # One of other vectors means nothing.
        if checksums.get(number) != vectors:
            continue
        require(slots == len(blocks[number]), f"the copy of block {number} has its slots")
        payload = value[48:48 + -(-slots // GROUP) * size]
        require(xxhash.xxh3_64_intdigest(payload) == groups, f"the copy of block {number} matches its checksum")
        require(not any(value[48 + len(payload):]) and (len(value) + 16) % 4096 == 0,
                f"the copy of block {number} is filled up with zeros to whole pages")
        for first in range(0, slots, GROUP):
            group = payload[first // GROUP * size:(first // GROUP + 1) * size]
            compare_group(group, blocks[number][first:first + GROUP], width, f"group {first // GROUP} of the copy of "
                          f"block {number}", require)
        copied += slots
    return copied


def compare_group(group, vectors, width, name, require):
    numbers = numpy.frombuffer(group, "u1", GROUP * width).reshape(width // 4, GROUP, 4)
    codes = numbers.transpose(1, 0, 2).reshape(GROUP, width).astype("i4") - 128
    along, across = (numpy.frombuffer(group, "<f4", GROUP, GROUP * width + at) for at in (0, 4 * GROUP))
    scaled = numpy.zeros((GROUP, width))
    scaled[:len(vectors), :vectors.shape[1]] = vectors
    largest = abs(scaled).max(axis=1, keepdims=True)
    is_scaled = largest[:, 0] >= LEAST_SCALED
    scaled = numpy.where(is_scaled[:, None], scaled * 127 / numpy.where(largest > 0, largest, 1), 0)
    require((abs(codes - scaled) <= 0.5 + TOLERANCE).all(), f"{name} has the nearest whole numbers")
    length = numpy.sqrt((codes.astype("f8") ** 2).sum(axis=1))
    rest = numpy.sqrt(((scaled - codes) ** 2).sum(axis=1))
    sine = rest / numpy.maximum(numpy.sqrt((scaled ** 2).sum(axis=1)), 1e-30) * 1.000244140625 + 2.0 ** -20
    sine = numpy.where(is_scaled, sine, 0)
    is_short = ~is_scaled & (largest[:, 0] > 0)
    expected = numpy.where(is_short, 0, length * numpy.sqrt(1 - sine ** 2))
    require((abs(along - expected) <= TOLERANCE * numpy.maximum(1, expected)).all(), f"{name} has |c| cos e")
    expected = numpy.where(is_short, UNSCALED, length * sine)
    require((abs(across - expected) <= TOLERANCE * numpy.maximum(1, expected)).all(), f"{name} has |c| sin e")
