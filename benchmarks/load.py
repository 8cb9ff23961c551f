"""Load by wrk: a fixed number of kept connections, each with one request at a time."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from contestants import ANSWER, BODY, Contestant

#: Reports as JSON, since wrk's own report rounds.
_SCRIPT = """
wrk.method = "POST"
wrk.body = {body}
{headers}
done = function(summary, latency, requests)
  io.write(string.format('@@{{"requests": %d, "micros": %d, "bad": %d, "p50": %d, "p99": %d}}\\n',
    summary.requests, summary.duration,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write
      + summary.errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
"""


@dataclass(frozen=True)
class Measured:
    """One round: requests per second, latencies in ms, CPU of the server in µs per request."""

    rate: float
    p50: float
    p99: float
    cpu: float


def drive(contestant: Contestant, connections: int, seconds: int) -> Measured:
    """Ask for ``seconds``; every answer must be a 200, the first and the last the right one."""
    assert contestant.ask() == ANSWER
    lines = "\n".join(
        f'wrk.headers["{name}"] = "{value}"' for name, value in contestant.headers.items()
    )
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        # A token in a file of mode 0600: arguments can be seen by others.
        file.write(_SCRIPT.format(body=f"'{BODY.decode()}'", headers=lines))
        file.flush()
        before = contestant.cpu()
        done = subprocess.run(
            ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", file.name, contestant.url],
            capture_output=True,
            text=True,
            check=True,
        )
        spent = contestant.cpu() - before
    found = re.search("@@(.*)", done.stdout)
    assert found, done.stdout
    told = json.loads(found[1])
    if told["bad"]:
        raise SystemExit(f"{contestant.name}: {told['bad']} requests were not answered with 200")
    assert contestant.ask() == ANSWER
    return Measured(
        rate=told["requests"] / told["micros"] * 1e6,
        p50=told["p50"] / 1e3,
        p99=told["p99"] / 1e3,
        cpu=spent / max(1, told["requests"]) * 1e6,
    )


def is_there() -> bool:
    """Tell whether wrk is installed."""
    return any((Path(folder) / "wrk").exists() for folder in ("/usr/bin", "/usr/local/bin"))
