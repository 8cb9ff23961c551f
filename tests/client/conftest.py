from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.scripted_edi import ScriptedEdi, scripted_edi

from edi_labext.client import EdiClient

#: A token that must never be seen anywhere but in the headers of its own origin.
CANARY = "canary-3f9c1d7ab2e84c60"


@pytest.fixture
def edi() -> Iterator[ScriptedEdi]:
    with scripted_edi() as server:
        yield server


@pytest.fixture
def canary() -> str:
    return CANARY


@pytest.fixture
def client(edi: ScriptedEdi) -> Iterator[EdiClient]:
    made = EdiClient(edi.url, lambda: CANARY, trust_proxies=False)
    yield made
    made.close()
