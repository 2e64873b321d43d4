"""A published way of comparing searches on a benchmark: what the searches see, what they may spend."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Protocol:
    """One family's protocol, from its file in ``benchmarks/`` (``PROTOCOLS``).

    ``search_epochs``: what a query that names no epochs is trained for. The final answers are still reported by
    their mean accuracies after a full training. ``budget`` as in ``--budget``.
    """

    name: str
    family: str
    search_epochs: int
    budget: str
    paper: str

    def __str__(self) -> str:
        return (
            f"{self.name} ({self.paper}): searches see the accuracy after {self.search_epochs} epochs; "
            "answers are reported by their means after a full training"
        )
