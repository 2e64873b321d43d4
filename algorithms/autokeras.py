"""AutoKeras: Bayesian optimization whose kernel is a distance of networks, over a tree of morphs.

Paper: H. Jin, Q. Song, X. Hu, "Auto-Keras: An Efficient Neural Architecture Search System", KDD 2019, arXiv:1806.10282.

Pseudocode:
    1  train the initial network
    2  repeat
    3      condition a Gaussian process on all trained networks
    4      search the tree of morphs from them for the highest upper confidence bound, with simulated annealing
    5      train what was found with the weights of the trained network that it descends from

Departures:
    1. One positive definite kernel for trained and for new networks, see `nassim.algorithms.parts.tree_search`; values
       are standardised; nothing is seeded globally; annealing cools by 0.9 a step, where the code's loop variable
       hides the temperature.
    2. Noise is 0.01 of the variance of values, the code's 1e-10 makes chance a fact; ``noise`` says it.
    3. Morphs are all exact ones of `nassim.morphs` (the code: deeper, wider by two, skips by sum or concatenation);
       they leave what a network computes as it was, where the code adds noise of 1e-4 to new weights.
    4. As many epochs as any query; the code's early stopping (five epochs without improvement) is left out.
    5. The search begins with ``initial`` networks, which is 1 in the paper: a process with one value says nothing.
    6. On spaces of fixed length the distance is the number of choices that differ, a morph a mutation, and all are
       trained from scratch. Where no child is new, a random one is trained.

Hyperparameters:
    initial: networks trained at the start, the seed and morphs of it. 3.
    beta: of the upper confidence bound. Code 2.576; 0 exploits alone.
    children: morphs of a node that is opened. Code 8.
    noise: in parts of the variance of values. Code 1e-10.
    landmarks: trained networks at most whose distances the kernel sees.
"""

from __future__ import annotations

import random
from functools import partial

from nassim.algorithms.parts.morphing import first, grown, heir_of
from nassim.algorithms.parts.network_distance import Distances
from nassim.algorithms.parts.tree_search import Process, search
from nassim.errors import InvalidSetting
from nassim.query import Trial
from nassim.space import SearchSpace
from nassim.strategy import Search, start, strategy


@strategy(family="model-based", year=2019, initial="initial")
def autokeras(
    space: SearchSpace,
    rng: random.Random,
    *,
    initial: int = 3,
    beta: float = 2.576,
    children: int = 8,
    noise: float = 0.01,
    landmarks: int = 64,
) -> Search:
    if min(initial, children, landmarks) < 1 or not 0 < noise < 1 or beta < 0:
        raise InvalidSetting("autokeras takes initial, children, landmarks from 1, noise between 0 and 1, beta from 0.")
    apart, trials = Distances(space), list[Trial]()
    asked = {begun := first(space, rng)}
    trials += yield from start(begun)  # 1
    while len(trials) < initial:
        asked.add(arch := grown(space, begun, rng))
        trials += yield from start(arch)
    while True:  # 2
        archs = [trial.arch for trial in trials]
        process = Process(archs, [trial.value for trial in trials], apart, landmarks, noise)  # 3
        morph = partial(grown, space, rng=rng)
        found = search(process, archs, process.values.tolist(), asked, morph, rng, beta=beta, children=children)  # 4
        father = None if found is None else heir_of(trials[found.father])
        arch = grown(space, rng.choice(archs), rng) if found is None else found.arch
        asked.add(arch)
        trials += yield from start(arch, origin=father, inherit="morph")  # 5
