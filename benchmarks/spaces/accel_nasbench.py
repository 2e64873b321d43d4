"""The space of Accel-NASBench: seven mobile blocks with expansion, kernel, layers and squeeze-and-excitation.

Paper: Ahmad et al., "Accel-NASBench: Sustainable Benchmarking for Accelerator-Aware NAS", DAC 2024, arXiv:2404.08005.
The space is that of MnasNet (arXiv:1807.11626) with inverted residual blocks only: 28 decisions, block by block.
"""

from __future__ import annotations

from collections.abc import Mapping

from nassim.errors import InvalidArchitecture
from nassim.space import Architecture, Decision, SearchSpace

BLOCKS = 7
_OPTIONS = {"e": (1, 4, 6), "k": (3, 5), "l": (1, 2, 3), "se": (False, True)}
_DEEPER = 5  # the block that may have four layers


class AccelNASBenchSpace(SearchSpace):
    """Seven blocks of four decisions: 104,485,552,128 networks."""

    def __init__(self) -> None:
        decisions = [
            Decision(f"block{block}_{name}", tuple(map(str, _options(block, name))))
            for block in range(BLOCKS)
            for name in _OPTIONS
        ]
        super().__init__("accel_nasbench", decisions)

    def from_settings(self, settings: Mapping[str, object]) -> Architecture:
        """The architecture of the release's settings, ``block0_e`` to ``block6_se``."""
        try:
            choices = [
                _options(block, name).index(settings[f"block{block}_{name}"])
                for block in range(BLOCKS)
                for name in _OPTIONS
            ]
        except (KeyError, ValueError) as error:
            raise InvalidArchitecture(f"no architecture of {self.name}: {error}.") from error
        return Architecture(self.name, tuple(choices))


def _options(block: int, name: str) -> tuple[object, ...]:
    return (1, 2, 3, 4) if (block, name) == (_DEEPER, "l") else _OPTIONS[name]


SPACE = AccelNASBenchSpace()
