"""Compares the planes that cellvec reads with those of tifffile and Pillow, value by value."""

import pathlib
import subprocess
import sys

import numpy
import tifffile
from PIL import Image


def reference(path):
    """The planes of a file, one below the other."""
    if path.suffix.lower() in (".tif", ".tiff"):
        pages = [page.asarray() for page in tifffile.TiffFile(path).pages]
    else:
        pages = [numpy.asarray(Image.open(path))]
    planes = [plane for page in pages for plane in (page if page.ndim == 2 else numpy.moveaxis(page, -1, 0)).reshape(-1, *page.shape[:2])]
    return numpy.concatenate(planes).astype("float32")


def main():
    work, *folders = map(pathlib.Path, sys.argv[1:])
    equal = differing = 0
    for folder in folders:
        for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".png", ".tif", ".tiff")):
            output = work / "planes.npy"
            run = subprocess.run(["cellvec", "planes", path, "--output", output], capture_output=True, text=True)
            if run.returncode == 0 and numpy.array_equal(numpy.load(output), reference(path)):
                equal += 1
            else:
                differing += 1
                print(f"differs: {path}: {run.stderr.strip()}")
    print(f"{equal} files equal to tifffile and Pillow, {differing} not")
    sys.exit(differing > 0)


main()
