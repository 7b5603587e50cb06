"""Five heads by scikit-learn's MLPClassifier, which trains a logistic regression for each class when it has no hidden
layer; Adam, without a schedule of the rate."""

import json
import time
import warnings

import numpy
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

import data

warnings.simplefilter("ignore", ConvergenceWarning)


def main():
    options = data.options()
    vectors = numpy.load(options.folder / "vectors.npy")
    stored = numpy.load(options.folder / "labels.npz")
    labels, assignment = stored["labels"], data.folds(stored["labels"], stored["groups"], options.seed)
    start, scores = time.perf_counter(), []
    for fold in range(5):
        train, test = assignment != fold, assignment == fold
        scaler = StandardScaler()
        model = MLPClassifier(
            options.hidden, batch_size=options.batch, max_iter=options.epochs, learning_rate_init=options.rate,
            alpha=1e-4, tol=0, n_iter_no_change=options.epochs + 1, random_state=options.seed)
        model.fit(scaler.fit_transform(vectors[train]), labels[train])
        scores.append(data.macro_f1(labels[test], model.predict(scaler.transform(vectors[test])).astype(bool)))
    print(json.dumps({"macro_f1": float(numpy.mean(scores)), "seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    main()
