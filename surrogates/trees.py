"""A forest as arrays, to be stored in a table's format and read by numpy alone; nothing is unpickled.

Features are 0 and 1, so that a node has no threshold: 0 leads to its first child, 1 to the one behind it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nassim.surrogates.forest import Forest

Floats = NDArray[np.float64]
TREES = 20


class Trees(NamedTuple):
    """Nodes of all trees, shapes (nodes,): the first ``trees`` are the roots.

    feature: what a node looks at. child: its first child, which stands behind it; a leaf leads to itself. value: the
    mean of what was fitted there, in its unit.
    """

    trees: int
    feature: NDArray[np.uint16]
    child: NDArray[np.uint32]
    value: NDArray[np.float32]

    @classmethod
    def fit(cls, features: NDArray[np.integer], values: Floats, seed: int) -> Trees:
        """The forest of `TREES` trees that a seed grows on features (n, d) of 0 and 1 and n values.

        Leaves hold at least two values, and more where there are more than a thousand: the arrays stay small.
        """
        forest = Forest(np.random.default_rng(seed), trees=TREES, leaf=max(2, len(values) // 500))
        forest.fit(features, values.tolist())
        feature, children, leaves = forest.nodes()
        first = children[:, 0]
        return cls(TREES, feature.astype(np.uint16), first.astype(np.uint32), leaves.astype(np.float32))

    @classmethod
    def of(cls, columns: Mapping[str, NDArray[Any]], name: str, width: int) -> Trees:
        """Read what `columns` gives, for features of a width; `ValueError` for arrays that are no trees."""
        feature, child, value = (np.asarray(columns[f"{name}_{part}"]) for part in ("feature", "child", "value"))
        count, nodes = int(columns[f"{name}_trees"][0]), len(feature)
        here = np.arange(nodes)
        if not 0 < count <= nodes or child.shape != (nodes,) or value.shape != (nodes,):
            raise ValueError(f"the arrays of {name} do not fit each other")
        inner = child != here
        if not np.isfinite(value).all() or (feature >= width).any():
            raise ValueError(f"{name} looks at features that there are not, or has no values")
        if (child[inner] <= here[inner]).any() or (child[inner] >= nodes - 1).any():  # hence no circle
            raise ValueError(f"the nodes of {name} are no trees")
        return cls(count, feature.astype(np.uint16), child.astype(np.uint32), value.astype(np.float32))

    def columns(self, name: str) -> dict[str, NDArray[Any]]:
        """The arrays, by names that begin with ``name``."""
        parts: dict[str, NDArray[Any]] = {"feature": self.feature, "child": self.child, "value": self.value}
        return {f"{name}_trees": np.array([self.trees]), **{f"{name}_{part}": array for part, array in parts.items()}}

    def predict(self, features: NDArray[np.integer]) -> Floats:
        """The mean over the trees, (n,), of features (n, d)."""
        rows = np.arange(len(features))
        node = np.repeat(np.arange(self.trees)[:, None], len(features), axis=1)
        while True:
            first = self.child[node].astype(np.intp)
            inner = first != node
            if not inner.any():
                predicted: Floats = self.value[node].mean(axis=0, dtype=np.float64)
                return predicted
            node = np.where(inner, first + features[rows, self.feature[node]], node)
