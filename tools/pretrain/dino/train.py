"""The training loop: resumable, on a CPU or a GPU."""

import json
import math
import os
import signal
import sys
import time

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from .augment import MultiCrop
from .data import Cells, LabelledSet, Layers, Sampler
from .export import export, write_card
from .loss import Centering, Head, cross_entropy, sinkhorn, spread
from .score import embed, neighbour_accuracy
from .vit import VisionTransformer, pooled, pooled_width


# What a run that goes on must have as it began: the card would be wrong otherwise.
FIXED = (
    "data", "layers", "composed", "pair", "inputs", "width", "depth", "heads", "patch", "image_size", "pooling",
    "prototypes", "assignment", "batch", "seed", "learning_rate", "weight_decay", "momentum", "global_scale",
    "local_scale", "local_views", "local_size", "context", "stretch", "gamma", "blur", "noise", "view_noise",
    "replicate", "drop", "swap", "bleed", "bleed_share", "keep", "koleo", "drop_path", "teacher_temperature",
    "student_temperature", "clip", "warmup", "mixed_precision")


class Pretraining:
    """Everything that a run is: student, teacher, optimiser, and how far it has come."""

    def __init__(self, options):
        self.options = options
        torch.manual_seed(options.seed)
        self.device = torch.device(options.device)
        shape = dict(
            width=options.width, depth=options.depth, heads=options.heads, patch=options.patch,
            inputs=len(options.inputs), image_size=options.image_size)
        self.student = VisionTransformer(**shape, drop_path=options.drop_path).to(self.device)
        self.teacher = VisionTransformer(**shape).to(self.device)
        if options.init:
            self.start_from(options.init)
        embedding = pooled_width(options.width, options.pooling)
        self.head = Head(embedding, options.prototypes).to(self.device)
        self.teacher_head = Head(embedding, options.prototypes).to(self.device)
        self.teacher.load_state_dict(self.student.state_dict())
        self.teacher_head.load_state_dict(self.head.state_dict())
        for parameter in [*self.teacher.parameters(), *self.teacher_head.parameters()]:
            parameter.requires_grad_(False)
        named = [*self.student.named_parameters(), *self.head.named_parameters()]
        self.optimizer = torch.optim.AdamW([
            {"params": [p for _, p in named if p.ndim > 1], "decays": True},
            {"params": [p for _, p in named if p.ndim <= 1], "decays": False},
        ], lr=0)
        self.centering = Centering()
        self.history = {"step": 0, "images": 0, "seconds": 0.0, "losses": [], "scores": []}

    def start_from(self, path):
        try:
            state = {name: value.float() for name, value in load_file(path).items()}
            self.student.load_state_dict(state)
        except (OSError, SafetensorError) as error:
            raise SystemExit(f"{path}: cannot be read as safetensors ({error})") from None
        except RuntimeError:
            raise SystemExit(f"{path}: is no model of this shape; give its --width, --depth, --patch, --image-size and "
                             "--inputs") from None

    # A run is as long as --steps says, or as --minutes of work; the schedules follow how much of it is done.

    def progress(self):
        o = self.options
        by_time = self.history["seconds"] / (60 * o.minutes) if o.minutes else 0
        return min(1.0, max(self.history["step"] / o.steps if o.steps else 0, by_time))

    def schedule(self):
        o, done = self.options, self.progress()
        warm = min(1.0, (done + 1e-3) / o.warmup)
        after = max(0.0, (done - o.warmup) / (1 - o.warmup))
        cosine = lambda start, end, t: end + (start - end) * (1 + math.cos(math.pi * t)) / 2
        return dict(
            rate=o.learning_rate * warm * cosine(1, 0.01, after), decay=cosine(*o.weight_decay, done),
            momentum=cosine(o.momentum, 1, done), temperature=o.teacher_temperature,
            # Prototypes that move before the tokens have settled collapse.
            frozen=done < 0.02)

    def step(self, views, now):
        o = self.options
        globals_, locals_ = ([view.to(self.device) for view in part] for part in views)
        with torch.no_grad(), self.autocast():
            scores = self.teacher_head(pooled(self.teacher(torch.cat(globals_)), o.pooling)).float()
        if o.assignment == "sinkhorn":
            targets = sinkhorn(scores, now["temperature"]).chunk(2)
        else:
            targets = self.centering(scores, now["temperature"]).chunk(2)
        self.student.train()
        with self.autocast():
            vectors = pooled(self.student(torch.cat(globals_), keep=o.keep), o.pooling)
            seen = list(self.head(vectors).chunk(2))
            if locals_:
                seen += list(self.head(pooled(self.student(torch.cat(locals_)), o.pooling)).chunk(len(locals_)))
        terms = [
            cross_entropy(target, scores, o.student_temperature)
            for number, target in enumerate(targets) for other, scores in enumerate(seen) if other != number]
        loss = sum(terms) / len(terms)
        total = loss + o.koleo * sum(spread(part) for part in vectors.chunk(2)) / 2
        if not math.isfinite(total.item()):
            raise SystemExit(f"step {self.history['step']}: the loss is {total.item()}; lower --learning-rate")
        for group in self.optimizer.param_groups:
            group["lr"] = now["rate"]
            group["weight_decay"] = now["decay"] if group["decays"] else 0
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        if now["frozen"]:
            self.head.prototypes.grad = None
        torch.nn.utils.clip_grad_norm_([*self.student.parameters(), *self.head.parameters()], o.clip)
        self.optimizer.step()
        with torch.no_grad():
            for mine, theirs in ((self.teacher, self.student), (self.teacher_head, self.head)):
                for slow, fast in zip(mine.parameters(), theirs.parameters()):
                    slow.lerp_(fast, 1 - now["momentum"])
        return loss.item()

    def autocast(self):
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.options.mixed_precision)

    # State

    def save(self, path):
        state = {
            "student": self.student.state_dict(), "teacher": self.teacher.state_dict(), "head": self.head.state_dict(),
            "teacher_head": self.teacher_head.state_dict(), "optimizer": self.optimizer.state_dict(),
            "center": self.centering.center, "history": self.history,
            "options": {name: getattr(self.options, name) for name in FIXED}}
        torch.save(state, path + ".part")
        os.replace(path + ".part", path)

    def load(self, path):
        try:
            state = torch.load(path, map_location=self.device, weights_only=True)
        except (EOFError, RuntimeError, OSError) as error:
            raise SystemExit(f"{path}: cannot be read ({error}); name another --output") from None
        changed = [name for name in FIXED if state.get("options", {}).get(name) != getattr(self.options, name)]
        if changed:
            names = ", ".join("--" + name.replace("_", "-") for name in changed)
            raise SystemExit(f"{path}: is a run with another {names}; repeat that, or name another --output (and the "
                             "weights to start from with --init)")
        for name in ("student", "teacher", "head", "teacher_head", "optimizer"):
            getattr(self, name).load_state_dict(state[name])
        self.centering.center, self.history = state["center"], state["history"]


def train(options):
    check(options)
    if options.threads:
        torch.set_num_threads(options.threads)
    run = Pretraining(options)
    os.makedirs(options.output, exist_ok=True)
    checkpoint = os.path.join(options.output, "checkpoint.pt")
    if os.path.exists(checkpoint):
        run.load(checkpoint)
        print(f"continuing at step {run.history['step']}", flush=True)
    sampler = Sampler(
        [Cells.parse(text) for text in options.data], [Layers.parse(text, options.inputs) for text in options.layers],
        options)
    scored = {text.split(":")[0]: LabelledSet.parse(text) for text in options.score}
    crop = MultiCrop(options)
    stop = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.append(True))

    history = run.history
    print("step  done  images/s  loss   scores", flush=True)
    start, since, losses = time.monotonic(), history["images"], []
    last = None if options.stop_after is None else history["step"] + options.stop_after
    while run.progress() < 1 and not stop and history["step"] != last:
        begin = time.monotonic()
        # As for the sampler, what is random in a step depends on seed and step alone.
        torch.manual_seed(options.seed * 1_000_003 + history["step"])
        losses.append(run.step(crop(*sampler(history["step"])), run.schedule()))
        history["step"] += 1
        history["images"] += options.batch
        history["seconds"] += time.monotonic() - begin
        if history["step"] % options.log_every == 0:
            speed = (history["images"] - since) / (time.monotonic() - start)
            loss = sum(losses) / len(losses)
            history["losses"].append([history["step"], loss])
            scores = ""
            if scored and history["step"] % options.score_every == 0:
                scores = report(run, scored)
            print(f"{history['step']:5d}  {run.progress():.3f}  {speed:7.1f}  {loss:.3f}  {scores}", flush=True)
            start, since, losses = time.monotonic(), history["images"], []
        if history["step"] % options.save_every == 0:
            run.save(checkpoint)
    run.save(checkpoint)
    if scored:
        print(report(run, scored), flush=True)
    weights = os.path.join(options.output, options.name + ".safetensors")
    card = export(run.teacher, weights, options, history, options.precision)
    write_card(card, os.path.join(options.output, options.name + ".json"))
    print(f"wrote {weights} after {run.progress():.0%} of the run", flush=True)
    if stop:
        print("interrupted; run the same command to go on", file=sys.stderr)
        sys.exit(130)


def check(options):
    """Ends with one line where options cannot be meant."""
    if options.width % options.heads:
        raise SystemExit(f"--heads: expected a divisor of the width {options.width}, found {options.heads}")
    for name in ("image_size", "local_size"):
        if getattr(options, name) % options.patch:
            raise SystemExit(f"--{name.replace('_', '-')}: expected a multiple of the patch, {options.patch}, "
                             f"found {getattr(options, name)}")
    if not 0 < options.warmup < 1:
        raise SystemExit(f"--warmup: expected a share between 0 and 1, found {options.warmup}")
    if options.device.startswith("cuda") and not torch.cuda.is_available():
        raise SystemExit("--device: PyTorch finds no GPU here; leave it out, or install the torch for its driver")
    if "/" in options.name:
        raise SystemExit(f"--name: expected a name, found a path ({options.name}); --output names the folder")


def report(run, scored):
    """kNN scores of the teacher, kept in the history; a line of them."""
    o = run.options
    scores = {"step": run.history["step"]}
    for name, labelled in scored.items():
        vectors = embed(run.teacher, labelled.crops, labelled.rows, o.inputs, o.context, o.pooling)
        accuracy = neighbour_accuracy(vectors, labelled.labels, labelled.groups)
        scores[os.path.basename(name).removesuffix(".npy")] = round(accuracy, 4)
    run.history["scores"].append(scores)
    return "  ".join(f"{name} {value:.3f}" for name, value in scores.items() if name != "step")
