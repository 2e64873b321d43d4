"""A statistic, or the reason why it cannot be computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T", covariant=True)


@dataclass(frozen=True)
class Finding(Generic[T]):
    """A value, or None and in words the reason why there is none; never both, never neither.

    >>> Finding(0.5).value, Finding(None, "one seed: no spread").reason
    (0.5, 'one seed: no spread')
    """

    value: T | None
    reason: str = ""

    def __post_init__(self) -> None:
        if (self.value is None) != bool(self.reason):
            raise ValueError(f"a finding is a value or a reason, not {self.value!r} and {self.reason!r}.")
