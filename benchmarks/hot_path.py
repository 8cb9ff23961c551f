"""The dispatch path against a peer and against the floor: see README.md beside this file."""

from __future__ import annotations

import argparse
import statistics
import sys
from contextlib import ExitStack

from contestants import Contestant, engine, script
from load import Measured, drive, is_there

CONNECTIONS = (1, 16, 64)


def main() -> None:
    """Measure in turn, print a table of medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=10, help="of each round (default: 10)")
    parser.add_argument("--rounds", type=int, default=3, help="of each load (default: 3)")
    parser.add_argument("--connections", type=int, nargs="+", default=CONNECTIONS)
    parser.add_argument("--litserve", metavar="PYTHON", help="a Python that has litserve==0.2.19")
    parser.add_argument("--other", metavar="PYTHON", help="a Python with another edi_labext")
    options = parser.parse_args()
    if not is_there():
        sys.exit("wrk is missing: apt-get install -y wrk")
    with ExitStack() as stack:
        field = [stack.enter_context(engine())]
        if options.other:
            field.append(stack.enter_context(engine(options.other, "other engine")))
        if options.litserve:
            server = script("LitServe", options.litserve, "litserve_server.py", "/predict")
            field.append(stack.enter_context(server))
        field.append(stack.enter_context(script("floor", sys.executable, "floor_server.py", "/")))
        for one in field:
            drive(one, 16, 1)  # warm
        for connections in options.connections:
            report(connections, rounds(field, connections, options.rounds, options.seconds))


def rounds(
    field: list[Contestant], connections: int, count: int, seconds: int
) -> dict[str, list[Measured]]:
    """Drive all in turn, ``count`` times."""
    seen: dict[str, list[Measured]] = {one.name: [] for one in field}
    for _ in range(count):
        for one in field:
            seen[one.name].append(drive(one, connections, seconds))
    return seen


def report(connections: int, seen: dict[str, list[Measured]]) -> None:
    """Print one table; the engine's rate is 1.00."""
    columns = ("rate", "p50", "p99", "cpu")
    medians = {
        name: {key: statistics.median(getattr(m, key) for m in measured) for key in columns}
        for name, measured in seen.items()
    }
    print(f"\nc={connections}: medians of {len(next(iter(seen.values())))}")
    print(f"  {'':14}{'req/s':>10}{'p50 ms':>9}{'p99 ms':>9}{'CPU µs':>9}  engine is")
    ours = medians["engine"]
    for name, told in medians.items():
        ratio = (
            f"{ours['rate'] / told['rate']:.2f}× its rate, {ours['p50'] / told['p50']:.2f}× its "
            f"p50, {ours['cpu'] / told['cpu']:.2f}× its CPU"
        )
        print(
            f"  {name:14}{told['rate']:10.0f}{told['p50']:9.2f}{told['p99']:9.2f}"
            f"{told['cpu']:9.1f}  {'' if name == 'engine' else ratio}"
        )


if __name__ == "__main__":
    main()
