"""What is timed: cellvec, and a process for each rival, precision and number of threads.

A subject has a `name` and a `precision`; `start()` gives the seconds from the start of reading the model to the first
embedded image, `time(batch, seconds)` a Timing, `embed(images, to, batch)` writes embeddings. What goes wrong is a
Failure with the last thing that the process said.
"""

import dataclasses
import json
import os
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
# Library, precision, and whether PyTorch compiles.
RIVALS = {
    "torch": [("PyTorch", "float32", []), ("PyTorch", "bfloat16", []),
              ("PyTorch compiled", "float32", ["--compile"]), ("PyTorch compiled", "bfloat16", ["--compile"])],
    "onnxruntime": [("ONNX Runtime", "float32", []), ("ONNX Runtime", "int8", [])],
    "openvino": [("OpenVINO", "float32", []), ("OpenVINO", "bfloat16", []), ("OpenVINO", "int8", [])],
}
# Of cellvec.
PRECISIONS = ["float32", "bfloat16", "int8"]


class Failure(Exception):
    pass


@dataclasses.dataclass
class Timing:
    """Images a second."""

    median: float
    best: float
    peak_byte_count: int


class Cellvec:
    """Runs the program anew for every timing."""

    name = "cellvec"

    def __init__(self, program, files, precision, threads):
        self.program, self.files, self.precision = program, files, precision
        self.options = ["--threads", str(threads), "--precision", precision]

    def start(self):
        # As for the rivals, whose files are made beforehand: the first load fills the cache.
        self.run_time(1, 0)
        timing = self.run_time(1, 0)
        return timing["load_seconds"] + timing["warm_up_seconds"]

    def time(self, batch, seconds):
        timing = self.run_time(batch, seconds)
        rate = timing["images_per_second"]
        return Timing(rate["median"], rate["best"], timing["peak_byte_count"])

    def embed(self, images, to, batch):
        self.run("embed", "--input", images, "--output", to)

    def stop(self):
        pass

    def run_time(self, batch, seconds):
        return json.loads(self.run(
            "time", "--size", str(self.files.size), "--batch", str(batch), "--seconds", str(seconds), "--json"))

    def run(self, verb, *options):
        command = [self.program, "models", verb, "--backbone", self.files.weights, *options, *self.options]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise Failure(last_line(done.stderr))
        return done.stdout


class Rival:
    """Talks with one process, which keeps the model."""

    def __init__(self, library, name, precision, options, files, threads):
        self.library, self.name, self.precision = library, name, precision
        self.options, self.files, self.threads = options, files, threads
        self.process = None
        self.log = files.folder / f"{library}-{precision}-{threads}{''.join(options)}.log"

    def start(self):
        threads = str(self.threads)
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                [sys.executable, HERE / f"subject_{self.library}.py", "--files", self.files.folder,
                 "--precision", self.precision, "--threads", threads, *self.options],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
                env=os.environ | {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads,
                                  "TORCHINDUCTOR_CACHE_DIR": str(self.files.folder / "inductor")})
        return self.answer()["loadSeconds"]

    def time(self, batch, seconds):
        found = self.ask(batch=batch, seconds=seconds)
        return Timing(
            batch / statistics.median(found["seconds"]), batch / min(found["seconds"]), found["peakByteCount"])

    def embed(self, images, to, batch):
        self.ask(embed=str(images), to=str(to), batch=batch)

    def ask(self, **request):
        try:
            print(json.dumps(request), file=self.process.stdin, flush=True)
        except BrokenPipeError:
            pass
        return self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise Failure(last_line(self.log.read_text()))
        return json.loads(line)

    def stop(self):
        if self.process:
            self.process.stdin.close()
            self.process.wait()


def all_subjects(program, files, rivals, threads, compiled):
    subjects = [Cellvec(program, files, precision, threads) for precision in PRECISIONS]
    for library in rivals:
        subjects += [
            Rival(library, name, precision, options, files, threads)
            for name, precision, options in RIVALS[library] if compiled or "--compile" not in options]
    return subjects


def last_line(text):
    return ([line for line in text.splitlines() if line.strip()] or ["ended without a word"])[-1].strip()
