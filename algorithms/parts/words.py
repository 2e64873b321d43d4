"""Architectures as words for a predictor of embeddings that are summed, equal for equivalent architectures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nassim.encodings import choice_rows, encode
from nassim.space import Architecture, SearchSpace

PATHS = 40  # of the path encoding, where a space brings its own: the published truncation of NAS-Bench-101


def representative(space: SearchSpace, arch: Architecture) -> Architecture:
    """The architecture that stands for all equivalent ones, where the space says which."""
    canonical = space.canonical(arch)
    return canonical if isinstance(canonical, Architecture) else arch


def words_of(space: SearchSpace, archs: Sequence[Architecture]) -> tuple[NDArray[np.intp], tuple[int, ...]]:
    """Words (n, places) of architectures, and how many words there are of each place (one number: the same for all).

    Of the representatives: the option of each decision; where options are words (`SearchSpace.options_are_words`), of a
    dictionary that all decisions share; where the space brings a path encoding, its shortest paths follow.
    """
    stand = [representative(space, arch) for arch in archs]
    choices = choice_rows(space, stand).astype(np.intp)
    if space.options_are_words:
        dictionary = {word: i for i, word in enumerate(dict.fromkeys(o for d in space.decisions for o in d.options))}
        words = [np.array([dictionary[option] for option in d.options]) for d in space.decisions]
        return np.stack([w[column] for w, column in zip(words, choices.T, strict=True)], axis=1), (len(dictionary),)
    if "path" not in space.encodings:
        return choices, space.radices
    paths = encode(space, stand, "path")[:, :PATHS].astype(np.intp)
    return np.hstack([choices, paths]), (*space.radices, *[2] * paths.shape[1])
