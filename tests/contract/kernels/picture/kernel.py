import base64
import json
import struct
import zlib

import redhareapiversion
from redhareapi import Kernel


def read_png(data):
    """Return width, height and the bytes of an 8-bit RGB picture without filters."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, packed = 8, b""
    while at < len(data):
        (size,) = struct.unpack(">I", data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", body[:10])
            assert (depth, colour) == (8, 2)
        elif kind == b"IDAT":
            packed += body
        at += size + 12
    lines = zlib.decompress(packed)
    step = 3 * width + 1
    return (
        width,
        height,
        b"".join(lines[line * step + 1 : (line + 1) * step] for line in range(height)),
    )


class Resnet(Kernel):
    def on_task_invoke(self, task_context):
        while task_context != None:
            request = json.loads(task_context.get_input_data())
            first = request["inputs"][0]
            width, height, points = read_png(base64.b64decode(first["data"]))
            means = [sum(points[channel::3]) / (width * height) for channel in range(3)]
            output = {"name": "output0", "datatype": "FP32", "shape": [1, 3], "data": means}
            task_context.set_output_data(json.dumps({"id": request["id"], "outputs": [output]}))
            task_context = task_context.next()


if __name__ == "__main__":
    Resnet().run()
