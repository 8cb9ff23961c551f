"""Reads handwritten digits: 8 x 8 grey values in, class and probabilities out."""

import json
import os

import redhareapiversion
from network import Network
from redhareapi import Kernel

SIDE = 8
MAX_INK = 16


def read_pixels(text):
    """Return the 64 grey values of a request; ValueError says what is wrong with it."""
    try:
        request = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("the request is not valid JSON") from None
    if not isinstance(request, dict) or "image" not in request:
        raise ValueError('the request must be an object with an "image"')
    image = request["image"]
    if isinstance(image, list) and len(image) == SIDE:
        rows = [row for row in image if isinstance(row, list) and len(row) == SIDE]
        if len(rows) != SIDE:
            raise ValueError("each of the 8 rows of the image must hold 8 numbers")
        image = [pixel for row in rows for pixel in row]
    if not isinstance(image, list) or len(image) != SIDE * SIDE:
        raise ValueError("the image must be 8 rows of 8 numbers, or one list of 64")
    for pixel in image:
        if type(pixel) not in (int, float) or not 0 <= pixel <= MAX_INK:
            raise ValueError("every number must be from 0 (paper) to 16 (ink)")
    return image


class DigitsKernel(Kernel):
    def on_kernel_start(self, kernel_context):
        description = json.loads(kernel_context.get_model_description())
        folder = description.get("model_path") or os.path.dirname(os.path.abspath(__file__))
        self.network = Network.load(os.path.join(folder, description["weight_path"]))
        Kernel.log_info("digits: weights loaded")

    def on_task_invoke(self, task_context):
        while task_context is not None:
            task_context.set_output_data(json.dumps(self.answer(task_context.get_input_data())))
            task_context = task_context.next()

    def answer(self, text):
        try:
            pixels = read_pixels(text)
        except ValueError as error:
            return {"error": str(error)}
        probabilities = self.network.probabilities(pixels)
        return {
            "class": probabilities.index(max(probabilities)),
            "probabilities": [round(value, 4) for value in probabilities],
        }


if __name__ == "__main__":
    DigitsKernel().run()
