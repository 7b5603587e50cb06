"""Writes .npy files without NumPy, for stories and tools that run where only Python is."""

import array
import struct
import sys


def save(path, shape, numbers):
    """Writes numbers as float32 in C order; `numbers` is anything iterable of as many as the shape asks for."""
    values = array.array("f", numbers)
    count = 1
    for length in shape:
        count *= length
    if len(values) != count:
        raise ValueError(f"{path}: {len(values)} numbers for shape {shape}")
    if sys.byteorder == "big":
        values.byteswap()
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {tuple(shape)}, }}".ljust(117) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        values.tofile(file)
