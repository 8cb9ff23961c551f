"""How a deployment's tasks are handed out to its kernels."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class QueuePolicy:
    """Limits of a deployment's queue; names and defaults of EDI's profile.

    Attributes
    ----------
    limit:
        Most tasks that may wait.
    batch_size:
        Most tasks per call of the kernel.
    parallel_size:
        Batches that a kernel is taken to work on at once.
    pipe_size:
        Tasks that a kernel may hold however long they take; 1 keeps slow kernels to one batch.
    timeout:
        Seconds from submission to answer; None is no limit.
    """

    limit: int = 100
    batch_size: int = 1
    parallel_size: int = 1
    pipe_size: int = 1
    timeout: float | None = 60.0

    @property
    def depth(self) -> int:
        """Batches that a kernel may hold whatever its speed."""
        return max(self.parallel_size, -(-self.pipe_size // self.batch_size))
