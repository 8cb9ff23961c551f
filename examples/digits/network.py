"""A small neural network that needs nothing but the standard library to answer."""

import json
import math
from operator import mul


class Network:
    """Fully connected layers: ReLU between them, softmax at the end.

    ``layers`` is a list of pairs: one row of weights per neuron, and one bias per neuron.
    """

    def __init__(self, layers):
        self.layers = layers

    @classmethod
    def load(cls, path):
        """Read the layers from the JSON file that ``train.py`` writes."""
        with open(path, encoding="utf-8") as file:
            return cls([(layer["weights"], layer["bias"]) for layer in json.load(file)["layers"]])

    def probabilities(self, pixels):
        """Return one probability per class for 64 grey values from 0 (paper) to 16 (ink)."""
        values = [pixel / 16 for pixel in pixels]
        for number, (weights, bias) in enumerate(self.layers):
            if number:
                values = [max(0.0, value) for value in values]
            neurons = zip(weights, bias)  # noqa: B905 - kernels run on Python 3.8 too
            values = [sum(map(mul, row, values)) + base for row, base in neurons]
        highest = max(values)
        powers = [math.exp(value - highest) for value in values]
        total = sum(powers)
        return [power / total for power in powers]
