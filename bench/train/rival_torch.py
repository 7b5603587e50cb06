"""Five heads by PyTorch, with vectors and labels in memory, as tensors that batches are indexed from. With
--precision bfloat16 its autocast chooses what is computed in bfloat16."""

import json
import time

import numpy
import torch

import data


def main():
    options = data.options()
    vectors = torch.from_numpy(numpy.load(options.folder / "vectors.npy"))
    stored = numpy.load(options.folder / "labels.npz")
    labels, assignment = stored["labels"], data.folds(stored["labels"], stored["groups"], options.seed)
    targets = torch.from_numpy(labels.astype(numpy.float32))
    start, scores = time.perf_counter(), []
    for fold in range(5):
        train = torch.from_numpy(numpy.flatnonzero(assignment != fold))
        test = torch.from_numpy(numpy.flatnonzero(assignment == fold))
        scores.append(train_fold(vectors, targets, labels, train, test, options))
    print(json.dumps({"macro_f1": float(numpy.mean(scores)), "seconds": time.perf_counter() - start}))


def train_fold(vectors, targets, labels, train, test, options):
    torch.manual_seed(options.seed)
    x, y = vectors[train], targets[train]
    mean, deviation = x.mean(0), x.std(0, correction=0)
    x -= mean
    x /= deviation
    widths = [vectors.shape[1]] + options.hidden + [targets.shape[1]]
    layers = [layer for a, b in zip(widths, widths[1:]) for layer in (torch.nn.Linear(a, b), torch.nn.ReLU())]
    model = torch.nn.Sequential(*layers[:-1])
    with torch.no_grad():
        # As cellvec begins: at the log odds of each class, and a linear head at weights of zero.
        positives = y.sum(0)
        layers[-2].bias.copy_(torch.log((positives + 0.5) / (len(y) - positives + 0.5)))
        if not options.hidden:
            layers[-2].weight.zero_()
    optimizer = torch.optim.AdamW(model.parameters(), lr=options.rate, weight_decay=options.decay)
    steps = -(-len(train) // options.batch) * options.epochs
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)
    loss_of = torch.nn.BCEWithLogitsLoss()
    for _ in range(options.epochs):
        for batch in torch.randperm(len(train)).split(options.batch):
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=options.precision == "bfloat16"):
                loss = loss_of(model(x[batch]), y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    with torch.no_grad():
        predicted = model((vectors[test] - mean) / deviation) > 0
    return data.macro_f1(labels[test.numpy()], predicted.numpy())


if __name__ == "__main__":
    main()
