"""Deploy, start, ask, stop and undeploy a folder on an engine of its own, and show the answers.

``make demo`` runs it on ``examples/digits``. Everything it writes is removed again.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from edi_labext.client import EdiClient, EnvironmentSet, LocalEngine
from edi_labext.errors import EdiError, InvalidInput
from edi_labext.operations import (
    InferenceAnswer,
    Progress,
    deploy_folder,
    infer,
    sample_payload,
    start_and_wait,
    stop_and_wait,
    undeploy,
)
from edi_labext.submission import inspect

ROOT = Path(__file__).resolve().parent.parent
ANSWER_LIMIT = 400

_COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ


def main(arguments: list[str] | None = None) -> int:
    """Run the demo and return its exit status: 0 when every request was answered, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "folder", type=Path, nargs="?", default=ROOT / "examples" / "digits", help="what to deploy"
    )
    folder = parser.parse_args(arguments).folder
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with _engine() as client:
            _tour(client, folder)
    except EdiError as error:
        _complain(error)
        return 1
    except KeyboardInterrupt:
        print("demo: interrupted; everything was cleaned up", file=sys.stderr)
        return 1
    _say("Done", "everything was cleaned up")
    return 0


@contextlib.contextmanager
def _engine() -> Iterator[EdiClient]:
    """Run an engine in a temporary store that goes with it."""
    with tempfile.TemporaryDirectory(prefix="edi-demo-") as temporary:
        environments = EnvironmentSet({}, LocalEngine(Path(temporary) / "store", "jupyter"))
        try:
            started = time.monotonic()
            client = environments.connect("local")
            _say("Engine", f"listens at {client.base_url}", started)
            yield client
        finally:
            environments.close()


def _tour(client: EdiClient, folder: Path) -> None:
    submission = inspect(folder)
    name = submission.require_deployable().name
    shown = folder.relative_to(ROOT) if folder.is_relative_to(ROOT) else folder
    _say("Folder", f"{shown}: {len(submission.files)} files, {submission.total_size:,} bytes")

    started = time.monotonic()
    row = deploy_folder(client, folder, start=False, report=_progress)
    _say("Deploy", f"{row.name} is {row.state}", started)

    started = time.monotonic()
    row = start_and_wait(client, name, report=_progress)
    _say("Start", f"{row.name} is {row.state}, {row.service_uri}", started)

    for source, payload in _payloads(folder, submission.readme or ""):
        _show(source, infer(client, name, payload))

    started = time.monotonic()
    row = stop_and_wait(client, name, report=_progress)
    _say("Stop", f"{row.name} is {row.state}", started)

    started = time.monotonic()
    undeploy(client, name)
    left = len(client.list_models())
    _say("Undeploy", f"{name} is gone, {left} deployments left", started)


def _payloads(folder: Path, readme: str) -> Iterator[tuple[str, bytes]]:
    """Yield the requests that come with the folder, and where each is from."""
    found = False
    shown = sample_payload(readme)
    if shown is not None:
        found = True
        yield "README.md", shown.encode()
    for path in sorted((folder / "payloads").glob("*.json")):
        found = True
        yield f"payloads/{path.name}", path.read_bytes()
    if not found:
        raise InvalidInput(
            f"{folder.name} comes without a request to send.",
            hint="Add a ```json block to README.md or a file to payloads/.",
        )


def _show(source: str, answer: InferenceAnswer) -> None:
    error = answer.error()
    if error is not None:
        raise error
    text = " ".join(answer.body.decode("utf-8", "replace").split())
    if len(text) > ANSWER_LIMIT:
        text = text[: ANSWER_LIMIT - 1] + "…"
    _say("Infer", f"{source}: {answer.status} in {answer.elapsed * 1000:.1f} ms")
    print(f"            {text}", flush=True)


def _progress(progress: Progress) -> None:
    """Show where a step is, on a terminal only: one line that is written over."""
    if sys.stdout.isatty():
        share = "" if progress.fraction is None else f" {progress.fraction:4.0%}"
        print(f"\r\x1b[K            {progress.message}{share}", end="", flush=True)


def _say(step: str, text: str, since: float | None = None) -> None:
    heading = f"{step:<10}"
    if sys.stdout.isatty():
        print("\r\x1b[K", end="")
    if _COLOUR:
        heading = f"\x1b[1;36m{heading}\x1b[0m"
    took = "" if since is None else f"  ({time.monotonic() - since:.2f} s)"
    print(f"{heading}  {text}{took}", flush=True)


def _complain(error: EdiError) -> None:
    line = f"demo: {error.message}"
    if error.hint:
        line += f" {error.hint}"
    print(line, file=sys.stderr)
    if error.detail:
        for text in error.detail.splitlines():
            print(f"      {text}", file=sys.stderr)


def _interrupt(signum: int, frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
