"""The benchmarks with supernets of mobile blocks on small images, where searches are short."""

from __future__ import annotations

MOBILE = ("nasbench_macro/fashion14", "mbconv-layers/fashion14")
