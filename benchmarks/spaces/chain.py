"""Chains of convolutions whose layers take any earlier ones: the space of the first recurrent controller.

Paper: B. Zoph, Q. Le, "Neural Architecture Search with Reinforcement Learning", ICLR 2017, arXiv:1611.01578, sections
    3.3 and 4.1.

A layer is a filter 1, 3, 5 or 7 pixels high and as many wide, a stride of 1 to 3 down and another across, 24, 36, 48
or 64 filters, and for each earlier layer a bit that says whether it feeds this one. What feeds a layer is concatenated,
smaller maps padded with zeros; a layer that nothing feeds takes the image, outputs that feed nothing are concatenated
before the classifier. Six layers are there; those behind may be ``absent``, and then nothing else that is said of them
counts: `canonical` drops them.

With one stride and L layers there are 64^L * 2^(L (L - 1) / 2). Departures: at most 15 layers, as many as the paper's
first published network has (its search went on to more); no layers of pooling.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from nassim.benchmarks.spaces.chain_network import assembled
from nassim.errors import InvalidArchitecture, InvalidSetting
from nassim.network import Frame, Network
from nassim.space import Architecture, Decision, Graph, SearchSpace

SIDES = (1, 3, 5, 7)
STRIDES = (1, 2, 3)
FILTERS = (24, 36, 48, 64)
ABSENT = "absent"
LEAST, MOST = 6, 15  # layers
LONGEST = 3000  # characters of an architecture
_LAYER = re.compile(r"(-|\d)x(\d)/(\d)x(\d)\*(\d\d)(?:@(\d\d?(?:\.\d\d?)*))?")


class Layer(NamedTuple):
    """A layer that is there; ``inputs`` are the numbers of those that feed it (from 0, absent ones not counted)."""

    kernel: tuple[int, int]  # height, width
    stride: tuple[int, int]
    filters: int
    inputs: tuple[int, ...]


class ChainSpace(SearchSpace):
    """``least`` to ``most`` layers; per layer height, width, strides, filters, and a bit for each earlier layer.

    >>> arch = SPACE.parse("3x3/1x1*36|5x7/2x1*24@1|1x1/1x1*64@1.2|3x3/1x1*24|3x3/1x1*24@4|7x7/1x1*48@3.5")
    >>> len(arch.choices), SPACE.format(arch)[:20], SPACE.layers(arch)[2].inputs
    (180, '3x3/1x1*36|5x7/2x1*2', (0, 1))
    """

    frame = Frame(channels=24, cells=1, classes=10)

    def __init__(
        self, name: str = "chain", least: int = LEAST, most: int = MOST, strides: Sequence[int] = STRIDES
    ) -> None:
        if not 1 <= least <= most <= 50 or not strides or not set(strides) <= set(STRIDES):
            raise InvalidSetting(
                f"{name}: {least} to {most} layers of strides {strides} cannot be (1 to 50, of 1 to 3)."
            )
        heights, filters = tuple(map(str, SIDES)), tuple(map(str, FILTERS))
        steps = tuple(map(str, strides))
        decisions: list[Decision] = []
        first: list[int] = []  # decision of each layer
        for i in range(1, most + 1):
            first.append(len(decisions))
            decisions += [
                Decision(f"layer{i}_filter_height", heights if i <= least else (*heights, ABSENT)),
                Decision(f"layer{i}_filter_width", heights),
                Decision(f"layer{i}_stride_height", steps),
                Decision(f"layer{i}_stride_width", steps),
                Decision(f"layer{i}_filters", filters),
                *[Decision(f"layer{j}->layer{i}", ("no", "yes")) for j in range(1, i)],
            ]
        super().__init__(name, decisions)
        ends = [*first, len(decisions)]
        self.least, self.most, self.strides = least, most, tuple(strides)
        self.groups = tuple(tuple(range(a, b)) for a, b in pairwise(ends))
        self.anchors = tuple(group[5:] for group in self.groups)
        self.absent = {first[i]: len(SIDES) for i in range(least, most)}

    # -- values ---------------------------------------------------------------------------------

    def present(self, arch: Architecture) -> list[int]:
        """The layers that are there, by their place from 0."""
        c = self.check(arch).choices
        return [i for i, group in enumerate(self.groups) if c[group[0]] < len(SIDES)]

    def layers(self, arch: Architecture) -> list[Layer]:
        """The layers that are there, each with the places in this list of those that feed it."""
        c, there = arch.choices, self.present(arch)
        found = []
        for i in there:
            height, width, down, across, filters, *bits = (c[k] for k in self.groups[i])
            inputs = tuple(place for place, j in enumerate(there) if j < i and bits[j])
            stride = self.strides[down], self.strides[across]
            found.append(Layer((SIDES[height], SIDES[width]), stride, FILTERS[filters], inputs))
        return found

    def active(self, arch: Architecture) -> frozenset[int]:
        """Whether each layer is there, and of those that are what is said of them and of each other."""
        there = self.present(arch)
        counted = {k for i in there for k in (*self.groups[i][:5], *(self.groups[i][5 + j] for j in there if j < i))}
        return frozenset(counted | set(self.absent))

    def parse(self, text: str) -> Architecture:
        """Read what `format` writes, or the plain form."""
        body = text.strip()
        short = body.removeprefix(f"{self.name}:")
        if "*" not in short or len(short) > LONGEST:
            return super().parse(body if len(body) <= LONGEST else body[:200] + "...")
        parts = short.split("|")
        try:
            if not self.least <= len(parts) <= self.most:
                raise ValueError(f"it has {len(parts)} layers, not {self.least} to {self.most}")
            choices = [x for i, part in enumerate(parts) for x in self._read(i, part)]
        except ValueError as error:
            text = f"not an architecture of {self.name}: {error}. {self.how_to_write()}"
            raise InvalidArchitecture(text) from None
        rest = [self.absent.get(k, 0) for k in range(len(choices), len(self.decisions))]
        return self.check(Architecture(self.name, (*choices, *rest)))

    def _read(self, i: int, part: str) -> list[int]:
        match = _LAYER.fullmatch(part)
        if match is None:
            raise ValueError(f"layer {i + 1}, {part[:60]!r}, is not HEIGHTxWIDTH/DOWNxACROSS*FILTERS@LAYER.LAYER")
        height, *numbers, sources = match.groups()
        feeding = [int(source) for source in (sources or "").split(".") if source]
        if feeding != sorted(set(feeding)) or not all(1 <= source <= i for source in feeding):
            raise ValueError(f"layer {i + 1} is fed by {sources}: name earlier layers (from 1), each once, in order")
        if height == "-" and i < self.least:
            raise ValueError(f"layer {i + 1} cannot be absent: {self.least} layers are there")
        options = [SIDES, self.strides, self.strides, FILTERS]
        known = zip(map(int, numbers), options, strict=True)
        head = [len(SIDES) if height == "-" else SIDES.index(int(height)) if int(height) in SIDES else -1]
        head += [row.index(number) if number in row else -1 for number, row in known]
        if -1 in head:
            raise ValueError(f"layer {i + 1}, {part[:60]!r}, has a side, stride or width that there is not")
        return [*head, *[int(j in feeding) for j in range(1, i + 1)]]

    def how_to_write(self) -> str:
        return (
            f"Write {self.least} to {self.most} layers, separated by |, as 5x3/2x1*36@1.4: a filter 5 high and 3 wide "
            f"({', '.join(map(str, SIDES))}), strides of 2 down and 1 across ({', '.join(map(str, self.strides))}), 36 "
            f"filters ({', '.join(map(str, FILTERS))}), fed by layers 1 and 4 (without @: by the image), - in place of "
            f"5: absent; or {self.name}: and {len(self.decisions)} numbers with dashes."
        )

    def format(self, arch: Architecture) -> str:
        """``3x3/1x1*36|5x7/2x1*24@1|...``; absent layers that say nothing else are left out at the end."""
        c = self.check(arch).choices
        parts = []
        for group in self.groups:
            height, width, down, across, filters, *bits = (c[k] for k in group)
            side = SIDES[height] if height < len(SIDES) else "-"
            feeding = ".".join(str(j) for j, bit in enumerate(bits, 1) if bit)
            stride = f"{self.strides[down]}x{self.strides[across]}"
            parts.append(f"{side}x{SIDES[width]}/{stride}*{FILTERS[filters]}{'@' if feeding else ''}{feeding}")
        blank = f"-x{SIDES[0]}/{self.strides[0]}x{self.strides[0]}*{FILTERS[0]}"
        while len(parts) > self.least and parts[-1] == blank:
            parts.pop()
        return "|".join(parts)

    # -- moving about ---------------------------------------------------------------------------

    def mutate(self, arch: Architecture, rng: random.Random) -> Architecture:
        """One decision that counts is another one. (The paper has no mutation.)"""
        places = sorted(k for k in self.active(arch) if self.radices[k] > 1)
        k = places[int(rng.random() * len(places))]
        others = self._others[k][arch.choices[k]]
        c = arch.choices
        return Architecture(self.name, (*c[:k], others[int(rng.random() * len(others))], *c[k + 1 :]))

    def neighbors(self, arch: Architecture) -> list[Architecture]:
        """All with another option of one decision that counts."""
        c = arch.choices
        near = [(k, other) for k in sorted(self.active(arch)) for other in self._others[k][c[k]]]
        return [Architecture(self.name, (*c[:k], other, *c[k + 1 :])) for k, other in near]

    # -- structure ------------------------------------------------------------------------------

    def canonical(self, arch: Architecture, kind: str = "published") -> Architecture:
        """The layers that are there, moved together; those behind are absent and say nothing else."""
        if kind != "published":
            raise InvalidSetting(f"{kind!r} is not an equivalence of {self.name}: use published.")
        c, there = arch.choices, self.present(arch)
        choices = [self.absent.get(k, 0) for k in range(len(self.decisions))]
        for place, i in enumerate(there):
            old, new = self.groups[i], self.groups[place]
            for k, source in zip(new, [*old[:5], *(old[5 + j] for j in there[:place])], strict=True):
                choices[k] = c[source]
        return Architecture(self.name, tuple(choices))

    def graph(self, arch: Architecture) -> Graph:
        """The image, the layers that are there and the output; edges have no operation."""
        layers = self.layers(arch)
        names = [f"{a}x{b}/{s}x{t}*{n}" for (a, b), (s, t), n, _ in layers]
        edges = [(j + 1, i + 1, "") for i, layer in enumerate(layers) for j in layer.inputs or (-1,)]
        used = {j for layer in layers for j in layer.inputs}
        ends = [(i + 1, len(layers) + 1, "") for i in range(len(layers)) if i not in used]
        return Graph(("image", *names, "output"), (*edges, *ends))

    def network(self, arch: Architecture, frame: Frame) -> Network:
        """``frame.channels`` is the width of the narrowest layer (24); the others go with it."""
        return assembled(self.layers(arch), frame)


SPACE = ChainSpace()
