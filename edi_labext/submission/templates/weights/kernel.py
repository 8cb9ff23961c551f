"""Fetches its weights when it starts, for models that are too large for a package.

WEIGHTS_URL and WEIGHTS_SHA256 are in model.json; the kernel.envs of the profile go first. The file
is kept beside the model, so that the next kernel finds it.
"""

import hashlib
import json
import os
import tempfile
import urllib.request

import redhareapiversion
from redhareapi import Kernel

BLOCK = 1 << 20


def digest(path):
    """Return the SHA-256 of a file in hex."""
    hashed = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(BLOCK), b""):
            hashed.update(block)
    return hashed.hexdigest()


def fetch(url, sha256, folder):
    """Return the path of the weights, fetched unless they are there and whole."""
    path = os.path.join(folder, "weights.bin")
    if os.path.exists(path) and digest(path) == sha256:
        Kernel.log_info("weights found in " + folder)
        return path
    # Another name until it is whole: several kernels may start at once.
    handle, part = tempfile.mkstemp(dir=folder)
    try:
        with os.fdopen(handle, "wb") as file, urllib.request.urlopen(url, timeout=60) as answer:
            for block in iter(lambda: answer.read(BLOCK), b""):
                file.write(block)
        found = digest(part)
        if found != sha256:
            raise ValueError("the weights of %s have SHA-256 %s, not %s" % (url, found, sha256))
        os.replace(part, path)
    finally:
        if os.path.exists(part):
            os.remove(part)
    Kernel.log_info("weights fetched from " + url)
    return path


class WeightsKernel(Kernel):
    def on_kernel_start(self, kernel_context):
        description = json.loads(kernel_context.get_model_description())
        folder = description.get("model_path") or os.getcwd()
        path = fetch(os.environ["WEIGHTS_URL"], os.environ["WEIGHTS_SHA256"], folder)
        # Load your model from the path here.
        self.size = os.path.getsize(path)

    def on_task_invoke(self, task_context):
        while task_context is not None:
            task_context.set_output_data(json.dumps({"weights": self.size}))
            task_context = task_context.next()


if __name__ == "__main__":
    WeightsKernel().run()
