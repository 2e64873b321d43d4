"""The benchmarks whose searches are short: nassim's own, on small images."""

from __future__ import annotations

SMALL = ("nasbench201/digits", "nasbench201_3ops/digits", "nasbench201_3ops/fashion14")
