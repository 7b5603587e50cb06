"""Where a fuzzer begins that has no fixtures: seeds.py records|pages|tables|filter|graph FOLDER

For records one file for each kind that tools/fuzz/records.swift chooses between, as sound ones look; for pages some
changes to the numbers in front of pages; for tables and filters some that are sound; for graphs changes to numbers of
vertices, to steps and to rows.
"""

import json
import pathlib
import struct
import sys

RECORDS = {
    0: struct.pack("<IBBHI4i2fI", 3, 1, 1, 3, 7, 10, 20, 30, 40, 25, 40, 1000)
    + struct.pack("<HHI", 0, 1, 5) + struct.pack("<HHIII", 1, 2, 2, 8, 9) + struct.pack("<HHd", 2, 3, 1000.5),
    1: json.dumps({"files": [{"path": "a.png", "plane": 0, "role": "protein"}], "height": 512, "identity": "0" * 32,
                   "name": "a", "rows": [[0, 12], [15, 16]], "width": 512}).encode(),
    2: json.dumps({"dimension": 384, "id": 0, "name": "s", "recipe": "{}", "precisions": ["float32"]}).encode(),
    3: json.dumps({"dropped": {"too small": 1}, "found": 13, "kept": 12, "mask": "0" * 32}).encode(),
    4: json.dumps({"createdBy": "cellvec 0.1.0", "readerFlags": [], "version": 1, "writerFlags": []}).encode(),
    5: struct.pack("<HHI", 0, 0, 2) + b"{}" + bytes(40),
    6: struct.pack("<IIHHI4H", 12346, 1, 3, 3, 16, 1, 5, 9, 400),
    7: struct.pack(">HI", 2, 0) + struct.pack("<4d", 1, 2, float("nan"), 4),
    8: struct.pack("<4sHBBIIIIQ16x", b"CVB1", 0, 2, 0, 0, 384, 341, 2, 0) + bytes(64),
    9: struct.pack(">BHIH", 4, 1, 2, 3),
    10: json.dumps({"calibrations": [{"deviations": 2.5, "farReach": 0.5, "radius": 0.5, "range": 0.75, "reach": 0.25,
                                      "recall": 0.99}], "centres": 1, "dimension": 8, "listCount": 4, "seed": 0,
                    "segments": [{"number": 1, "rowCount": 50}]}).encode(),
    11: struct.pack("<4sHBBIIIIQ16x", b"CVC1", 0, 2, 0, 1, 0, 4, 5, 0) + struct.pack("<5I", 0, 9, 20, 31, 50),
    12: struct.pack("<QHHI", 0, 0, 8, 0) + struct.pack("<II16xI", 0xBEEFC0DE, 1, 4096) + bytes(148)
    + struct.pack("<4sIQQQQ", b"CVM1", 0, 2, 0, 0, 0),
    13: json.dumps({"calibrations": [{"farReach": 0.5, "reach": 0.25, "recall": 0.99}], "dimension": 8, "entryCount": 4,
                    "leftOutCount": 2, "range": 0.5, "seed": 0, "segment": 1, "vertexCount": 50}).encode(),
}

# A block of int8, and the record and header of a database with such a space.
MORE = [
    (8, struct.pack("<4sHBBIIIIQ16x", b"CVB1", 0, 4, 0, 0, 384, 675, 2, 0) + bytes(64)),
    (2, json.dumps({"dimension": 384, "id": 0, "name": "s", "scalarType": "int8"}).encode()),
    (4, json.dumps({"createdBy": "cellvec 0.1.0", "readerFlags": ["byte-vectors"], "version": 1,
                    "writerFlags": []}).encode()),
]

TABLES = [
    b"\x00gene,dose\nTP53,1.5\n\"a, \"\"b\"\"\",\n", b"\x01\xef\xbb\xbfgene\tdose\r\nTP53\t1\r\n", b"\x02a;b\r1;2\r",
    b"\x03\x93NUMPY\x01\x00\x40\x00" + b"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2)}\n".rjust(64) + bytes(16),
]

FILTERS = [
    b"gene = 'BAG6' AND NOT localization HAS 'er'", b"dose BETWEEN 1 AND 2.5e3 OR dose IS NOT NULL",
    b"gene LIKE 'a\\%%' ESCAPE '\\' OR gene IN (:p)", b"\"cell line\" != :p AND dose >= :n", b"#row < 10",
]


def main():
    kind, folder = sys.argv[1:]
    if kind == "records":
        seeds = [bytes([number]) + record for number, record in [*RECORDS.items(), *MORE]]
    elif kind in ("tables", "filter"):
        seeds = TABLES if kind == "tables" else FILTERS
    elif kind == "graph":
        seeds = [struct.pack("<II", 768 * vertex + place, value) for vertex in (0, 40, 119, 120)
                 for place in (0, 256, 384, 512, 576, 640, 704, 708) for value in (0, 7, 0x7FC00000, 0xFFFFFFFF)]
    else:
        seeds = [struct.pack("<HHI", page, place, value) for page in (0, 1, 2, 9, 40) for place in (0, 10, 12, 16, 64)
                 for value in (0, 1, 2, 130, 0xFFFF)]
    for number, seed in enumerate(seeds):
        (pathlib.Path(folder) / f"{kind}-{number}").write_bytes(seed)


if __name__ == "__main__":
    main()
