"""Other libraries, each with its index of the same vectors.

A rival is a class with `name`, `settings` from the fastest to the most thorough, and
  build(vectors, lots, folder)            makes the index and stores it in a folder of its own
  search(queries, setting, threads)       the places of the 10 nearest [queries, 10]
  filtered(queries, setting, share)       the same among vectors whose lot is below `share`; only where the library can.
                                          It tells -1 for neighbours that it did not find
It may have `one_thread = True` where the library offers no way to search with several, or decides on threads itself.
"""

import importlib

# By name on the command line: the module and the class.
RIVALS = {
    "symphonyqg": ("graphs", "SymphonyQG"),
    "hnswlib": ("graphs", "Hnswlib"),
    "usearch": ("graphs", "USearch"),
    "svs": ("graphs", "Vamana"),
    "hannoy": ("graphs", "Hannoy"),
    "faiss-pq": ("lists", "FaissPQ"),
    "faiss-rabitq": ("lists", "FaissRaBitQ"),
    "faiss-flat": ("lists", "FaissFlat"),
    "rabitq-ivf": ("lists", "RabitqIVF"),
    "scann": ("lists", "ScaNN"),
    "qdrant-edge": ("stores", "QdrantEdge"),
    "zvec": ("stores", "Zvec"),
    "lancedb": ("stores", "LanceDB"),
}


def rival(name):
    module, kind = RIVALS[name]
    return getattr(importlib.import_module(f"rivals.{module}"), kind)()
