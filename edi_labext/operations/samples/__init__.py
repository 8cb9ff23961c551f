"""Submission folders that ship inside the package."""

from __future__ import annotations

from pathlib import Path

from ...errors import NotFound, echo

#: Names of the samples.
SAMPLES = ("pingpong",)


def sample_folder(sample: str) -> Path:
    """Return the folder of a sample; raises :class:`~edi_labext.errors.NotFound`."""
    if sample not in SAMPLES:
        raise NotFound(
            f"There is no sample {echo(sample)}.",
            code="sample_not_found",
            hint=f"There is {', '.join(SAMPLES)}.",
        )
    return Path(__file__).resolve().parent / sample
