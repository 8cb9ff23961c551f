"""Trains the network anew: writes weights.json and payloads/, prints the accuracy.

Needs scikit-learn, which also brings the pictures; takes a few seconds.
"""

import json
import warnings
from pathlib import Path

from network import Network
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

HERE = Path(__file__).parent
HIDDEN = 32
SEED = 7
#: Held-out digits that become example payloads.
EXAMPLES = {3: "three", 4: "four", 7: "seven", 8: "eight"}


def split():
    """Return pictures (64 values from 0 to 16) and classes: to train on, and held out (25 %)."""
    digits = load_digits()
    return train_test_split(
        digits.data, digits.target, test_size=0.25, random_state=SEED, stratify=digits.target
    )


def train(pictures, classes):
    """Return the layers of a trained network, rounded to 4 decimals."""
    model = MLPClassifier((HIDDEN,), alpha=0.01, max_iter=600, random_state=SEED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(pictures / 16, classes)
    return [
        {"weights": weights.T.round(4).tolist(), "bias": bias.round(4).tolist()}
        for weights, bias in zip(model.coefs_, model.intercepts_, strict=True)
    ]


def classify(network, picture):
    probabilities = network.probabilities(picture)
    return probabilities.index(max(probabilities))


def write_payload(path, picture):
    rows = [json.dumps([int(pixel) for pixel in picture[at : at + 8]]) for at in range(0, 64, 8)]
    path.write_text('{"image": [\n  ' + ",\n  ".join(rows) + "\n]}\n", encoding="utf-8")


def main():
    pictures, held_pictures, classes, held_classes = split()
    layers = train(pictures, classes)
    weights = HERE / "weights.json"
    weights.write_text(json.dumps({"layers": layers}) + "\n", encoding="utf-8")

    # What the kernel will compute, rounding and all.
    network = Network.load(weights)
    found = [classify(network, picture) for picture in held_pictures.tolist()]
    right = sum(one == other for one, other in zip(found, held_classes, strict=True))
    print(f"accuracy on {len(found)} held-out digits: {right / len(found):.2%}")

    for digit, name in EXAMPLES.items():
        which = next(at for at, one in enumerate(held_classes) if one == digit == found[at])
        write_payload(HERE / "payloads" / f"{name}.json", held_pictures[which])


if __name__ == "__main__":
    main()
