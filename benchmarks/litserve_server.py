"""LitServe with one worker that parses and dumps the same JSON: ``litserve_server.py PORT``."""

import sys

import litserve


class PingPong(litserve.LitAPI):
    """Answers what it is sent."""

    def setup(self, device):  # noqa: ANN001, ANN201, D102
        pass

    # Without annotations: LitServe takes one for the schema of what it is sent.
    def decode_request(self, request):  # noqa: ANN001, ANN201, D102
        return request

    def predict(self, value):  # noqa: ANN001, ANN201, D102
        return value

    def encode_response(self, output):  # noqa: ANN001, ANN201, D102
        return output


if __name__ == "__main__":
    server = litserve.LitServer(PingPong(), accelerator="cpu", workers_per_device=1)
    server.run(host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False)
