"""The suite's options and its report at the end."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any

import pytest

from contract.facts import Ledger, decisions, table

LEDGER = pytest.StashKey[Ledger]()
SEEN = pytest.StashKey[list[dict[str, Any]]]()
_PROPERTY = "edi_contract"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("edi contract", "the contract of EDI (tests/contract)")
    group.addoption(
        "--edi-server",
        default=os.environ.get("EDI_CONTRACT_SERVER"),
        help="address of the EDI to judge; default $EDI_CONTRACT_SERVER, else an engine of its own",
    )
    group.addoption(
        "--edi-token",
        help="its token; better in $USER_ACCESS_TOKEN, which no list of processes shows",
    )
    group.addoption(
        "--edi-user", help="user for Basic authentication; its password in $EDI_CONTRACT_PASSWORD"
    )
    group.addoption("--edi-ca", help="file with the certificates that it is trusted by")
    group.addoption(
        "--edi-insecure", action="store_true", help="trust any certificate of --edi-server"
    )
    group.addoption(
        "--edi-runtime", default="python", help="runtime of the kernels (default: python)"
    )
    group.addoption(
        "--edi-wait",
        type=float,
        default=300.0,
        help="longest wait for a kernel of --edi-server, in seconds (default: 300)",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[SEEN] = []


@pytest.fixture
def fact(request: pytest.FixtureRequest) -> Ledger:
    """Where a test notes what it sees."""
    ledger = request.node.stash[LEDGER] = Ledger()
    return ledger


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Fail a test for the facts that it found broken, once it has looked at all of them."""
    result = yield
    ledger = pyfuncitem.stash.get(LEDGER, None)
    broken = ledger.broken(ours=not pyfuncitem.config.option.edi_server) if ledger else []
    if broken:
        pytest.fail(
            "\n".join(
                f"{entry.where} [{entry.source}] {entry.fact}\n"
                f"  expected: {entry.expected}\n  seen:     {entry.seen}"
                for entry in broken
            ),
            pytrace=False,
        )
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    report = yield
    ledger = item.stash.get(LEDGER, None)
    if report.when == "call" and ledger is not None:
        # Properties travel with the report, from the processes of pytest-xdist too.
        entries = [entry.as_dict() for entry in ledger.entries]
        report.user_properties.append((_PROPERTY, entries))
    return report


class _Collector:
    """Gathers what all tests have seen, in the process that prints."""

    def __init__(self, seen: list[dict[str, Any]]) -> None:
        self._seen = seen

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            for name, entries in report.user_properties:
                if name == _PROPERTY:
                    self._seen.extend(entries)


def pytest_sessionstart(session: pytest.Session) -> None:
    session.config.pluginmanager.register(_Collector(session.config.stash[SEEN]))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    seen = config.stash[SEEN]
    if not seen:
        return
    choices = [entry for entry in seen if entry["source"] == "unknown" and entry["holds"]]
    deviations = [entry for entry in seen if not entry["holds"]]
    terminalreporter.section("EDI contract")
    if config.option.verbose > 0 or config.option.edi_server:
        terminalreporter.write_line("What this server does where nothing is written down:")
        for line in table(choices):
            terminalreporter.write_line("  " + line)
        terminalreporter.write_line("")
    terminalreporter.write_line(f"{len(seen)} looks at facts; deviations: {len(deviations)}")
    if deviations:
        for line in table(deviations):
            terminalreporter.write_line("  " + line)
        if not config.option.edi_server:
            for line in decisions(deviations):
                terminalreporter.write_line("  " + line)
