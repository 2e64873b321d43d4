"""ENAS' own spaces: whole networks of twelve layers with skips, and two cells of five nodes.

Paper: H. Pham, M. Guan, B. Zoph, Q. Le, J. Dean, "Efficient Neural Architecture Search via Parameter Sharing",
    ICML 2018, arXiv:1802.03268.

Tasks: none. No table of these spaces is published. `nassim run enas enas-macro/digits:training --live` searches as the
paper does. To train: images need sides that are multiples of four, as values are halved twice.
"""

from __future__ import annotations

from nassim.benchmarks.spaces.enas import MACRO_SPACE, MICRO_SPACE

__all__ = ["SPACES", "TASKS"]

SPACES = (MACRO_SPACE, MICRO_SPACE)
TASKS: tuple[str, ...] = ()
