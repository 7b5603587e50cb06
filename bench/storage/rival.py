"""One step of one rival in a process of its own, so that memory and the opening are those of the step.

    rival.py MODULE STEP DATA FOLDER LIMIT [CONDITION]

MODULE has a class `Store`; the answer is one line of JSON. `Store(folder)` opens a store, or makes it where there is
none, and has

    BATCH                        rows of an insert in bulk, as its documentation advises
    insert(first, vectors, fields)   rows from `first` on; on the disk when it returns, as the store understands that
    index()                      what its documentation advises once rows are there
    search(vector, k, condition)     row numbers, the most similar first
    count(condition)
    delete(condition)
    reclaim()                    gives the disk its bytes back; None where there is no such thing
    close()
"""

import importlib
import json
import os
import pathlib
import statistics
import sys
import time

import numpy as np
from data import COUNTS, K, SEARCHES, Data

SMALL_ROWS, SMALL_COMMITS, COUNT_RUNS = 1_000, 10, 11


def rows_of(data, first, count):
    slice_of = slice(first, first + count)
    return first, np.array(data.vectors[slice_of]), {name: values[slice_of] for name, values in data.fields.items()}


def seconds_of(action):
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def build(Store, data, folder, limit):
    store, total, spent, processors = Store(folder), len(data.vectors), 0, 0
    for first in range(0, total, Store.BATCH):
        rows = rows_of(data, first, Store.BATCH)
        start = time.process_time()
        spent += seconds_of(lambda: store.insert(*rows))
        processors += time.process_time() - start
        done = min(total, first + Store.BATCH)
        if spent > limit and done < total:
            sys.exit(f"{done:,} of {total:,} rows after {spent:.0f} s ({done / spent:,.0f} rows/s)")
    index = seconds_of(store.index)
    store.close()
    return {"seconds": spent, "processorSeconds": processors, "indexSeconds": index}


def small(Store, data, folder, limit):
    store = Store(folder)
    times = []
    for number in range(SMALL_COMMITS):
        rows = rows_of(data, number * SMALL_ROWS, SMALL_ROWS)
        times.append(seconds_of(lambda: store.insert(*rows)))
        if sum(times) > limit:
            sys.exit(f"{number + 1} commits of {SMALL_ROWS:,} rows took {sum(times):.0f} s")
    store.close()
    return {"seconds": statistics.median(times)}


def first(Store, data, folder, limit):
    start = time.perf_counter()
    store = Store(folder)
    store.search(data.queries[0], K, {})
    seconds = time.perf_counter() - start
    store.close()
    return {"seconds": seconds}


def query(Store, data, folder, limit):
    store, found = Store(folder), {"searches": {}, "counts": {}}
    for name, condition in SEARCHES.items():
        store.search(data.queries[0], K, condition)
        times, results = [], []
        for vector in data.queries:
            times.append(seconds_of(lambda: results.append(store.search(vector, K, condition))))
            if sum(times) > limit:
                sys.exit(f"{len(times)} searches ({name}) took {sum(times):.0f} s")
        found["searches"][name] = {"seconds": statistics.median(times), "rows": results}
    for name, condition in COUNTS.items():
        store.count(condition)
        times, counts = [], []
        for _ in range(COUNT_RUNS):
            times.append(seconds_of(lambda: counts.append(store.count(condition))))
        found["counts"][name] = {"seconds": statistics.median(times), "count": counts[0]}
    store.close()
    return found


def delete(Store, data, folder, limit, condition):
    store = Store(folder)
    found = {"seconds": seconds_of(lambda: store.delete(condition)), "reclaimSeconds": None}
    if store.reclaim:
        found["reclaimSeconds"] = seconds_of(store.reclaim)
    found["count"] = store.count({})
    store.close()
    return found


def main():
    module, step, data, folder, limit, *condition = sys.argv[1:]
    # What libraries print goes to stderr; the answer has stdout for itself.
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    Store = importlib.import_module(module).Store
    started = time.monotonic() - float(os.environ["BENCH_STARTED"])
    steps = {"build": build, "small": small, "first": first, "query": query, "delete": delete}
    found = steps[step](
        Store, Data(pathlib.Path(data)), pathlib.Path(folder), float(limit), *map(json.loads, condition))
    print(json.dumps({"startSeconds": started, **found}), file=answer, flush=True)


if __name__ == "__main__":
    main()
