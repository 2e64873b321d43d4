"""Networks as rows of layers, so many of each, and the single edits of a row: what a policy reads and transforms.

On a space of fixed length a row is an architecture's choices, and an edit gives a decision another option. A network
that grows is read as its convolutions, poolings and joins in their order, up to `MOST`; an edit is a morph of one of
them. A skip comes from the join or block two before.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nassim.algorithms.parts.tokens import refuse_unordered
from nassim.errors import InvalidArchitecture, InvalidNetwork
from nassim.morph_space import SKIPS, MorphSpace
from nassim.morphs import APPROXIMATE, EXACT, Morph
from nassim.network import Layer
from nassim.space import Architecture, SearchSpace
from nassim.spelling import WIDTHS

MOST = 32  # layers of a network that grows; later ones are neither read nor transformed
KINDS = ("absent", "conv", "depthwise", "max_pool", "avg_pool", "add", "concat", "other")
KERNELS = ("none", *map(str, range(1, 8)))
_ATTRIBUTES = (KINDS, ("none", *map(str, WIDTHS)), KERNELS)
_SIZED = ("widen", "prune")  # morphs with two amounts: half an octave and one
_ACTIONS = [(kind, size) for kind in (*EXACT, *APPROXIMATE) for size in ((0, 1) if kind in _SIZED else (0,))]


class ChoiceRows:
    """Of a space of decisions; ``groups`` are its layers, ``options`` those of each place of a row."""

    def __init__(self, space: SearchSpace) -> None:
        self._space = space
        self.groups: Sequence[Sequence[int]] = space.groups
        self.options = [decision.options for decision in space.decisions]
        layer_of = {decision: layer for layer, group in enumerate(space.groups) for decision in group}
        self.edits = [(i, option) for i, n in enumerate(space.radices) if n > 1 for option in range(n)]
        self.layers = np.array([layer_of[decision] for decision, _ in self.edits], np.intp)  # of each edit

    def row(self, arch: Architecture) -> tuple[int, ...]:
        """The choices."""
        return arch.choices

    def edited(self, arch: Architecture, edit: int) -> Architecture:
        """The network after an edit."""
        decision, option = self.edits[edit]
        c = arch.choices
        return Architecture(self._space.name, (*c[:decision], option, *c[decision + 1 :]))

    def possible(self, arch: Architecture) -> NDArray[np.bool_]:
        """Which edits give another network of the space, shape (edits,)."""
        valid = self._space.is_valid
        return np.array(
            [arch.choices[d] != option and valid(self.edited(arch, e)) for e, (d, option) in enumerate(self.edits)]
        )


class MorphRows:
    """Of networks that grow: kind, width and kernel of each layer; an edit is (layer, number of the action)."""

    def __init__(self, space: MorphSpace) -> None:
        self._space = space
        count = len(_ATTRIBUTES)
        self.groups: Sequence[Sequence[int]] = [range(i * count, (i + 1) * count) for i in range(MOST)]
        self.options = [*_ATTRIBUTES] * MOST
        self.edits = [(layer, action) for layer in range(MOST) for action in range(len(_ACTIONS))]
        self.layers = np.array([layer for layer, _ in self.edits], np.intp)

    def row(self, arch: Architecture) -> tuple[int, ...]:
        """Three numbers of each layer; zeros where there is none."""
        found = [number for layer in self._read(arch) for number in _attributes(layer)]
        return (*found, *[0] * (len(self.options) - len(found)))

    def edited(self, arch: Architecture, edit: int) -> Architecture:
        """The network after a morph; itself where the morph leads out of the space."""
        layer, action = self.edits[edit]
        morph = self._morphs(arch).get((layer, action))
        try:
            return arch if morph is None else self._space.morphed(arch, morph)
        except (InvalidNetwork, InvalidArchitecture):
            return arch  # beyond the limits, or beside the grid

    def possible(self, arch: Architecture) -> NDArray[np.bool_]:
        """Which morphs have a place, shape (edits,); whether the limits allow them, only the attempt says."""
        there = self._morphs(arch)
        return np.array([edit in there for edit in self.edits])

    def _read(self, arch: Architecture) -> list[Layer]:
        layers = self._space.network(arch, self._space.frame).layers[1:-2]  # without image, last pooling and head
        return [layer for layer in layers if layer.kind not in ("batch_norm", "activation")][:MOST]

    def _morphs(self, arch: Architecture) -> dict[tuple[int, int], Morph]:
        """The morphs of each layer by (layer, action)."""
        block_of: dict[str, int] = {}  # a morph may stand at the end of a layer's block: its normalization or rectifier
        count = 0
        for layer in self._space.network(arch, self._space.frame).layers[1:-2]:
            if layer.kind not in ("batch_norm", "activation"):
                count += 1
            if count:
                block_of[layer.name] = count - 1
        found: dict[tuple[int, int], Morph] = {}
        ends: dict[int, str] = {}
        for morph in self._space.morphs(arch, [kind for kind in (*EXACT, *APPROXIMATE) if kind not in SKIPS]):
            place = block_of.get(morph.place, MOST)
            if place >= MOST:
                continue
            if morph.kind == "deepen":
                ends[place] = morph.place
            size = 1 if morph.kind in _SIZED and (place, _ACTIONS.index((morph.kind, 0))) in found else 0
            found.setdefault((place, _ACTIONS.index((morph.kind, size))), morph)
        for kind in SKIPS:
            for place, end in ends.items():
                if place - 2 in ends:
                    found[place, _ACTIONS.index((kind, 0))] = Morph(kind, end, 0, ends[place - 2])
        return found


Rows = ChoiceRows | MorphRows


def rows_of(space: SearchSpace) -> Rows:
    """How networks of a space are read."""
    return MorphRows(space) if isinstance(space, MorphSpace) else ChoiceRows(space)


def refuse_unread(owner: str, space: SearchSpace) -> None:
    """`Unsupported` for a space that is neither rows of options nor grows."""
    if not isinstance(space, MorphSpace):
        refuse_unordered(owner, space)


def _attributes(layer: Layer) -> tuple[int, int, int]:
    settings = layer.settings
    kind = "depthwise" if layer.kind == "conv" and settings.get("groups", 1) != 1 else layer.kind
    width, kernel = settings.get("channels"), settings.get("kernel")
    return (
        KINDS.index(kind) if kind in KINDS else len(KINDS) - 1,
        1 + WIDTHS.index(int(str(width))) if width in WIDTHS else 0,
        KERNELS.index(str(kernel)) if str(kernel) in KERNELS else 0,
    )
