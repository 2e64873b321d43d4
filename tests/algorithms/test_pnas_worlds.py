"""PNAS where its growth is: blocks of nasnet-one, vertices of NAS-Bench-101; the order of what is equal."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, spearmanr, wilcoxon

import nassim
from nassim import Architecture, Benchmark
from nassim.algorithms.parts.words import representative, words_of
from nassim.query import Trial
from nassim.registry import get_algorithm
from nassim.surrogates.mlp_ensemble import MLPEnsemble
from nassim.testing.problems import Answers

PNAS = get_algorithm("pnas")
NB101 = nassim.get_space("nasbench101")
ONE = nassim.get_space("nasnet-one")
STARTS = (1, 7, 91, 2_532, 64_542, 423_624)  # of the cells of 3, 4, 5, 6 and 7 vertices


def worth(arch: Architecture) -> float:
    """An accuracy that operations of a nasnet cell add to, whatever their block."""
    gains = (0.02, 0.03, 0.0, 0.01, -0.02, 0.015, -0.01, 0.005, 0.0)
    return 0.6 + sum(gains[operation] for operation in arch.choices[1::2])


@pytest.mark.slow
def test_the_published_search_trains_1160_cells_in_beams_of_256() -> None:
    """136 cells of one block, then K = 256 of each of two to five blocks: 136 + 4 x 256."""
    problem = Answers("worth", ONE, worth)
    search, rng, sizes = (
        PNAS.configured(steps=3, fine_tuning_steps=1).begin(ONE, random.Random(0)),
        random.Random(1),
        [],
    )
    trained: list[Architecture] = []
    while (message := search.ask()) is not None:
        queries = message.queries  # type: ignore[union-attr]
        sizes.append((len(queries), {ONE.complexity(query.arch) for query in queries}))
        trained += [representative(ONE, query.arch) for query in queries]
        search.tell([Trial(query, problem.query(query, rng), 0.0, 0.0, 0) for query in queries])
        if len(sizes) == 3:  # the later levels are as the third
            break
    assert sizes == [(136, {1}), (256, {2}), (256, {3})]
    assert len(set(trained)) == len(trained)


def test_one_block_gives_147456_ordered_and_76800_unordered_extensions() -> None:
    for level, unordered in ((1, 300), (2, 528), (3, 820), (4, 1176)):
        arch = ONE.smallest()[0]
        while ONE.complexity(arch) < level:
            arch = ONE.grow(arch)[-1]
        assert len(ONE.grow(arch)) == unordered
    assert [256 * n for n in (300, 528, 820, 1176)] == [76_800, 135_168, 209_920, 301_056]


def test_the_order_of_halves_and_blocks_does_not_change_words_or_predictions() -> None:
    cell = ONE.parse("sep3~0+identity~1|max3~0+sep5~1|avg3~2+avg3~3")
    twins = [
        ONE.parse("identity~1+sep3~0|sep5~1+max3~0|avg3~3+avg3~2"),
        ONE.parse("max3~0+sep5~1|sep3~0+identity~1|avg3~3+avg3~2"),
    ]
    assert len({cell, *twins}) == 3
    words, counts = words_of(ONE, [cell, *twins])
    assert (words == words[0]).all()
    ensemble = MLPEnsemble(counts, random.Random(0))
    assert len(set(ensemble.predict(words).tolist())) == 1


def test_spellings_of_a_cell_have_the_same_words() -> None:
    rng = random.Random(0)
    for _ in range(20):
        arch = NB101.sample(rng)
        words, counts = words_of(NB101, [arch, representative(NB101, arch)])
        assert np.array_equal(words[0], words[1])
        assert len(counts) == words.shape[1] == 26 + 40


@pytest.mark.slow
def test_blocks_share_their_embeddings_so_that_the_next_level_is_ranked_before_it_is_seen() -> None:
    """Trained on one block alone, the predictor ranks two and three blocks."""
    small = ONE.smallest()
    words, counts = words_of(ONE, small)
    ensemble = MLPEnsemble(counts, random.Random(0), average=0.65)
    ensemble.fit(words, [worth(arch) for arch in small], learning_rate=0.01, steps=100)
    rng = random.Random(1)
    level = small
    for _ in range(2):
        level = [rng.choice(ONE.grow(rng.choice(level))) for _ in range(200)]
        predicted = ensemble.predict(words_of(ONE, level)[0])
        assert spearmanr(predicted, [worth(arch) for arch in level]).statistic > 0.7


@pytest.mark.slow
def test_it_climbs_the_blocks_of_nasnet_one() -> None:
    run = nassim.run(PNAS.configured(steps=20, fine_tuning_steps=5), Answers("worth", ONE, worth), "60q")
    assert Counter(ONE.complexity(trial.arch) for trial in run.trials) == dict.fromkeys(range(1, 6), 12)


@pytest.mark.slow
def test_it_climbs_the_vertices_of_nasbench101_and_the_chosen_are_better_than_random_ones(cells: Benchmark) -> None:
    """In true mean accuracy, against as many random candidates of the same level; six runs, levels 5 to 7."""
    chosen, chance, rng = [], [], random.Random(0)
    for seed in range(6):
        run = nassim.run(PNAS, cells, "150q", seed=seed)
        levels = [NB101.complexity(trial.arch) for trial in run.trials]
        assert levels == sorted(levels)
        assert set(levels) == {3, 4, 5, 6, 7}
        for level in (5, 6, 7):
            beam = [trial.arch for trial in run.trials if NB101.complexity(trial.arch) == level]
            parents = [trial.arch for trial in run.trials if NB101.complexity(trial.arch) == level - 1]
            grown = sorted({arch for parent in parents for arch in NB101.grow(parent)})
            for archs, means in ((beam, chosen), (rng.sample(grown, min(len(beam), len(grown))), chance)):
                means.append(np.mean([cells.mean_accuracy(arch, "test_accuracy") for arch in archs]))
    assert wilcoxon(chosen, chance, alternative="greater").pvalue < 0.01


@pytest.mark.slow
def test_the_predictor_ranks_cells_of_one_more_vertex_and_fine_tuning_improves_it(cells: Benchmark) -> None:
    before, after = ranks_one_level_ahead(cells, seeds=4)
    assert before.mean(axis=0).min() > 0.3
    assert wilcoxon(after.ravel(), before.ravel(), alternative="greater").pvalue < 0.01


def ranks_one_level_ahead(cells: Benchmark, seeds: int) -> tuple[np.ndarray, np.ndarray]:
    """Spearman's correlation on 4 to 7 vertices before and after 36 of them were trained: shapes (seeds, 4)."""
    found = []
    for seed in range(seeds):
        generator = np.random.default_rng(seed)
        known = [NB101.at(place) for place in range(1, 7)]
        predictor: MLPEnsemble | None = None
        row = []
        for first, end in pairwise(STARTS[1:]):
            values = [cells.mean_accuracy(arch, "test_accuracy") for arch in known]
            words, counts = words_of(NB101, known)
            predictor = predictor or MLPEnsemble(counts, random.Random(seed), average=float(np.mean(values)))
            rate, steps = (0.01, 100) if len(known) == 6 else (0.002, 50)
            predictor.fit(words, values, learning_rate=rate, steps=steps)
            level = [NB101.at(place) for place in generator.integers(first, end, 436).tolist()]
            fresh = level[36:]
            truth = [cells.mean_accuracy(arch, "test_accuracy") for arch in fresh]
            row.append(spearmanr(predictor.predict(words_of(NB101, fresh)[0]), truth).statistic)
            known = known + level[:36]
            values = [cells.mean_accuracy(arch, "test_accuracy") for arch in known]
            predictor.fit(words_of(NB101, known)[0], values, learning_rate=0.002, steps=50)
            row.append(spearmanr(predictor.predict(words_of(NB101, fresh)[0]), truth).statistic)
        found.append(row)
    table = np.array(found)
    return table[:, ::2], table[:, 1::2]


@pytest.mark.slow
def test_it_beats_random_search_on_nasbench101(cells: Benchmark) -> None:
    found = [nassim.run(PNAS, cells, "150q", seed=seed).best.test for seed in range(25)]
    chance = [nassim.run("random_search", cells, "150q", seed=seed).best.test for seed in range(50)]
    assert mannwhitneyu(found, chance, alternative="greater").pvalue < 0.01
