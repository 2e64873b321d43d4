"""A random forest on features of 0 and 1, whose trees grow together, level by level, as arrays.

Source: Breiman, "Random Forests", Machine Learning 45, 2001: every tree sees a bootstrap sample, and every split the
best (least squared error) of a random part of the features. How large that part and the smallest leaf are is as in
SMAC (Hutter, Hoos & Leyton-Brown, LION 2011).

Sums of whole arrays in a fixed order, no BLAS and no tree library: the same trees with any processor and version.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Forest:
    """``trees`` regression trees.

    share: of the features, among which each split is chosen. leaf: trials that every leaf holds at least.
    """

    def __init__(
        self,
        generator: np.random.Generator,
        *,
        trees: int = 20,
        share: float = 5 / 6,
        leaf: int = 3,
        bootstrap: bool = True,
    ) -> None:
        self._generator, self._trees, self._share = generator, trees, share
        self._leaf, self._bootstrap = leaf, bootstrap

    def fit(self, features: NDArray[np.integer], values: Sequence[float]) -> None:
        """Grow new trees. ``features``: 0 and 1, shape (n, d); ``values``: n numbers of any unit."""
        targets = np.asarray(values, np.float64)
        center = float(targets.mean())
        targets = targets - center  # so that squares of sums lose no digits
        n = len(targets)
        drawn = np.tile(np.arange(n), (self._trees, 1))
        if self._bootstrap:
            drawn = np.sort(self._generator.integers(n, size=drawn.shape), axis=1)
        # Of every drawn trial its node, in order; the nodes of a level are numbered from 0.
        trial, node = drawn.ravel(), np.repeat(np.arange(self._trees), n)
        chosen, children, leaves = [], [], []
        count, made = self._trees, 0
        while count:
            weight = np.bincount(node, minlength=count)
            total: Floats = np.bincount(node, targets[trial], minlength=count).astype(np.float64)
            feature, splits = self._splits(
                features[trial], targets[trial], node, weight, total, float(targets @ targets)
            )
            place = np.cumsum(splits) - 1  # of a node among those that are split
            first = np.where(splits, made + count + 2 * place, made + np.arange(count))  # a leaf leads to itself
            children.append(np.stack([first, first + splits], axis=1))
            chosen.append(feature)
            leaves.append(center + total / weight)
            trial, node = trial[splits[node]], node[splits[node]]
            node = 2 * place[node] + features[trial, feature[node]]
            order = np.argsort(node, kind="stable")
            trial, node = trial[order], node[order]
            made, count = made + count, 2 * int(np.count_nonzero(splits))
        self._depth = len(leaves) - 1
        self._features, self._values = np.concatenate(chosen), np.concatenate(leaves)
        self._children = np.concatenate(children).ravel()

    def _splits(
        self,
        rows: NDArray[np.integer],
        targets: Floats,
        node: NDArray[np.intp],
        weight: NDArray[np.intp],
        total: Floats,
        squares: float,
    ) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """For every node of a level the feature that parts it best, and whether any may: shapes (nodes,).

        ``rows``, ``targets`` and ``node`` are of the drawn trials; ``weight`` and ``total`` the nodes' trials and
        their sums; ``squares`` is the sum of squares of all, of which gains are parts.
        """
        starts = np.flatnonzero(np.diff(node, prepend=-1))
        ones = np.add.reduceat(rows, starts, axis=0, dtype=np.float64)
        ones_total = np.add.reduceat(rows * targets[:, None], starts, axis=0)
        zeros, zeros_total = weight[:, None] - ones, total[:, None] - ones_total
        gain = ones_total**2 / np.maximum(ones, 1) + zeros_total**2 / np.maximum(zeros, 1)
        gain = np.round((gain - (total**2 / weight)[:, None]) / max(squares, 1e-300), 12)  # equal ones: the first
        possible = (np.minimum(ones, zeros) >= self._leaf) & (gain > 0)
        offered = possible & (self._generator.random(possible.shape) < self._share)
        offered = np.where(offered.any(axis=1, keepdims=True), offered, possible)
        return np.where(offered, gain, 0).argmax(axis=1), np.any(offered, axis=1)

    def predict_each(self, features: NDArray[np.integer]) -> Floats:
        """What every tree predicts: shape (trees, n)."""
        flat, starts = features.ravel(), np.arange(len(features)) * features.shape[1]
        node = np.repeat(np.arange(self._trees)[:, None], len(features), axis=1)
        for _ in range(self._depth):
            node = self._children[2 * node + flat[starts + self._features[node]]]
        predicted: Floats = self._values[node]
        return predicted

    def nodes(self) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats]:
        """The nodes of all trees, the roots first: their feature (n,), their children (n, 2), and their value (n,).

        A leaf leads to itself; a feature of 0 leads to the first child, one of 1 to the second.
        """
        return self._features, self._children.reshape(-1, 2), self._values
