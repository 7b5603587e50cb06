"""Writes .npy files without NumPy, for stories and tools that run where only Python is."""

import array
import math
import struct
import sys


def save(path, shape, numbers):
    """Writes numbers as float32 in C order; `numbers` is anything iterable of as many as the shape asks for."""
    save_arrays(path, shape, [array.array("f", numbers)])


def save_arrays(path, shape, arrays):
    """The same from arrays of type "f", one after the other; an iterator need hold only one of them at a time."""
    count = 0
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {tuple(shape)}, }}".ljust(117) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        for values in arrays:
            count += len(values)
            if sys.byteorder == "big":
                values = values[:]
                values.byteswap()
            values.tofile(file)
    if count != math.prod(shape):
        raise ValueError(f"{path}: {count} numbers for shape {shape}")
