"""A recurrent controller: it says architectures token by token, many at once, and learns which were good.

Sources: Zoph & Le, "Neural Architecture Search with Reinforcement Learning", ICLR 2017, arXiv:1611.01578, sections 3.2
and 3.3; Zoph et al., CVPR 2018, arXiv:1707.07012, appendix. Numpy in float64: the same architectures with any number of
threads or on another machine, but for a draw that falls within rounding (some 10^-13) of a boundary.

Each token is a step of the LSTM. A choice is a softmax of its output; what was chosen is embedded as the next input.
At an anchor point the place j feeds this one with the probability sigmoid(v . tanh(W_p h_j + W_c h)); the next input
is the mean output at the places that were chosen (the papers do not say; as in ENAS).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nassim.algorithms.parts.lstm import Step, backward, forward, sigmoid
from nassim.algorithms.parts.tokens import Anchor, Choice, Token, blank
from nassim.algorithms.parts.weights import Adam, Floats, Weights
from nassim.space import Architecture, SearchSpace

Choices = NDArray[np.intp]
TRIES, LARGE = 3, 128  # batches drawn until enough architectures are valid, and their size after the first


class _Kept(NamedTuple):
    """What the gradient needs of a token: of a choice the probabilities; of an anchor point those of its bits."""

    steps: list[Step]
    top: Floats  # output of the last layer (n, units)
    p: Floats  # (n, options), or (n, places)
    z: Floats  # logits of the bits (n, places)
    tanh: Floats  # (n, places, units)


class Said(NamedTuple):
    """Architectures as they were said: choices (n, decisions), log-probability and entropy (n,) in nats."""

    choices: Choices
    log_probability: Floats
    entropy: Floats
    kept: list[_Kept]


_NONE: Floats = np.zeros((0, 0))


class Controller:
    """The policy and its Adam. ``tokens``: all that it may ever say, in their order; a call may end sooner."""

    def __init__(
        self,
        space: SearchSpace,
        tokens: Sequence[Token],
        rng: random.Random,
        *,
        units: int,
        layers: int,
        scale: float,
    ) -> None:
        """All weights are uniform from -scale to scale."""
        self.space, self.tokens = space, tuple(tokens)
        self.units, self.layers = units, layers
        self._draws = np.random.default_rng(rng.getrandbits(128))
        self._blank = np.array(blank(space), np.intp)
        shapes: dict[str, tuple[int, ...]] = {"begin": (units,)}
        for token in self.tokens:
            if isinstance(token, Choice):
                shapes[f"head {token.kind}"] = shapes[f"embedding {token.kind}"] = token.options, units
                shapes[f"bias {token.kind}"] = (token.options,)
            else:
                shapes |= {"past": (units, units), "present": (units, units), "score": (units,)}
        for i in range(layers):
            shapes |= {f"lstm {i}": (2 * units, 4 * units), f"gates {i}": (4 * units,)}
        self.weights = Weights(shapes)
        self.weights.vector[:] = scale * (2.0 * self._draws.random(len(self.weights.vector)) - 1.0)
        self._adam = Adam(self.weights)

    def sample(self, count: int, tokens: Sequence[Token] | None = None) -> Choices:
        """Architectures, drawn independently, as choices (count, decisions)."""
        return self._say(np.tile(self._blank, (count, 1)), tokens or self.tokens, draw=True).choices

    def children(self, count: int, tokens: Sequence[Token] | None = None) -> list[Architecture]:
        """Valid architectures. What is not is drawn again, in larger batches; after `TRIES` of them the space draws."""
        found: list[Architecture] = []
        for wanted in (count, *[max(count, LARGE)] * TRIES):
            rows = self.sample(wanted, tokens).tolist()
            found += filter(self.space.is_valid, [Architecture(self.space.name, tuple(row)) for row in rows])
            if len(found) >= count:
                return found[:count]
        rng = random.Random(int(self._draws.integers(1 << 62)))
        return found + [self.space.sample(rng) for _ in range(count - len(found))]

    def say(self, archs: Sequence[Architecture], tokens: Sequence[Token] | None = None) -> Said:
        """Log-probabilities and entropies of architectures under the present weights."""
        return self._say(np.array([arch.choices for arch in archs], np.intp), tokens or self.tokens, draw=False)

    def ascend(self, gradient: Floats, rate: float) -> None:
        """One step of Adam."""
        self._adam.ascend(gradient, rate)

    def _say(self, choices: Choices, tokens: Sequence[Token], *, draw: bool) -> Said:
        w, n = self.weights.arrays, len(choices)
        hs, cs = (np.zeros((self.layers, n, self.units)) for _ in range(2))
        x = np.broadcast_to(w["begin"], (n, self.units))
        logs, entropy = np.zeros(n), np.zeros(n)
        places: list[Floats] = []
        kept: list[_Kept] = []
        for token in tokens:
            steps: list[Step] = []
            for i in range(self.layers):
                hs[i], cs[i], step = forward(x, hs[i], cs[i].copy(), w[f"lstm {i}"], w[f"gates {i}"])
                steps.append(step)
                x = hs[i]
            top = hs[-1].copy()
            if isinstance(token, Choice):
                e = np.exp(top @ w[f"head {token.kind}"].T + w[f"bias {token.kind}"])
                p = e / e.sum(axis=1, keepdims=True)
                if draw:
                    below = np.cumsum(p, axis=1) < self._draws.random((n, 1))
                    choices[:, token.decision] = np.minimum(below.sum(axis=1), token.options - 1)
                chosen = choices[:, token.decision]
                logs += np.log(p[np.arange(n), chosen])
                entropy -= (p * np.log(p)).sum(axis=1)
                kept.append(_Kept(steps, top, p, _NONE, _NONE))
                x = w[f"embedding {token.kind}"][chosen]
                continue
            z = tanh = p = _NONE
            x = np.broadcast_to(w["begin"], (n, self.units))
            if token.decisions:
                tanh = np.tanh(np.stack(places, axis=1) @ w["past"] + (top @ w["present"])[:, None])
                z = tanh @ w["score"]
                p = sigmoid(z)
                if draw:
                    choices[:, list(token.decisions)] = self._draws.random(z.shape) < p
                bits = choices[:, list(token.decisions)]
                logs -= np.logaddexp(0.0, np.where(bits > 0, -z, z)).sum(axis=1)
                entropy += (np.logaddexp(0.0, z) - z * p).sum(axis=1)
                x = (_shares(bits)[:, None] @ np.stack(places, axis=1))[:, 0]
            places.append(top)
            kept.append(_Kept(steps, top, p, z, tanh))
        return Said(choices, logs, entropy, kept)

    def gradient(self, said: Said, weights: Floats, entropy: float, tokens: Sequence[Token] | None = None) -> Floats:
        """Of the mean of ``weights`` (n,) times log-probability, plus ``entropy`` times entropy: the whole vector."""
        tokens = tokens or self.tokens
        w, gradient, n = self.weights.arrays, self.weights.zeros(), len(said.choices)
        d, share, weight = gradient.arrays, entropy / n, weights[:, None] / n
        dhs, dcs = (np.zeros((self.layers, n, self.units)) for _ in range(2))
        tops = [kept.top for token, kept in zip(tokens, said.kept, strict=True) if isinstance(token, Anchor)]
        dplaces = [np.zeros((n, self.units)) for _ in tops]
        dx = np.zeros((n, self.units))
        for token, (steps, top, p, z, tanh) in zip(reversed(tokens), reversed(said.kept), strict=True):
            if isinstance(token, Choice):
                chosen, logs = said.choices[:, token.decision], np.log(p)
                by_logit = share * -p * (logs - (p * logs).sum(axis=1, keepdims=True)) - weight * p
                by_logit[np.arange(n), chosen] += weight[:, 0]
                np.add.at(d[f"embedding {token.kind}"], chosen, dx)
                d[f"head {token.kind}"] += by_logit.T @ top
                d[f"bias {token.kind}"] += by_logit.sum(axis=0)
                dhs[-1] += by_logit @ w[f"head {token.kind}"]
            else:
                dhs[-1] += dplaces.pop()  # whoever takes this place comes later
                if token.decisions:
                    before = np.stack(tops[: len(dplaces)], axis=1)
                    bits = said.choices[:, list(token.decisions)]
                    by_bit = weight * (bits - p) - share * z * p * (1.0 - p)
                    d["score"] += np.einsum("nk,nku->u", by_bit, tanh)
                    inner = by_bit[:, :, None] * w["score"] * (1.0 - tanh * tanh)
                    summed = inner.sum(axis=1)
                    d["present"] += top.T @ summed
                    d["past"] += np.tensordot(before, inner, axes=([0, 1], [0, 1]))
                    dhs[-1] += summed @ w["present"].T
                    back = inner @ w["past"].T + _shares(bits)[:, :, None] * dx[:, None]
                    for j, place in enumerate(dplaces):
                        place += back[:, j]
                else:
                    d["begin"] += dx.sum(axis=0)
            dx = np.zeros((n, self.units))
            for i in reversed(range(self.layers)):
                dhs[i] += dx
                parts = w[f"lstm {i}"], d[f"lstm {i}"], d[f"gates {i}"]
                dx, dhs[i], dcs[i] = backward(dhs[i], dcs[i], steps[i], *parts)
        d["begin"] += dx.sum(axis=0)
        return gradient.vector


def _shares(bits: Choices) -> Floats:
    """By which the outputs at chosen places are summed to their mean; nothing where none is chosen."""
    shares: Floats = bits / np.maximum(bits.sum(axis=1, keepdims=True), 1)
    return shares
