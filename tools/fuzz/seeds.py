"""Where the fuzzer of a database's parts begins: seeds.py records|pages FOLDER

For records one file for each kind that tools/fuzz/records.swift chooses between, as sound ones look; for pages some
changes to the numbers in front of pages.
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
}


def main():
    kind, folder = sys.argv[1:]
    if kind == "records":
        seeds = [bytes([number]) + record for number, record in RECORDS.items()]
    else:
        seeds = [struct.pack("<HHI", page, place, value) for page in (0, 1, 2, 9, 40) for place in (0, 10, 12, 16, 64)
                 for value in (0, 1, 2, 130, 0xFFFF)]
    for number, seed in enumerate(seeds):
        (pathlib.Path(folder) / f"{kind}-{number}").write_bytes(seed)


if __name__ == "__main__":
    main()
