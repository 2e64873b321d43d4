"""What a policy reads of networks that grow, and its single morphs."""

from __future__ import annotations

import random

import pytest

import nassim
from nassim.algorithms.parts.layer_rows import MOST, ChoiceRows, MorphRows, rows_of
from nassim.algorithms.parts.transformer import Transformer
from nassim.morph_space import MorphSpace
from nassim.testing.problems import Answers

GROWN = nassim.get_space("grown")
assert isinstance(GROWN, MorphSpace)


def test_the_seed_is_read_as_three_convolutions_and_two_poolings() -> None:
    rows = rows_of(GROWN)
    assert isinstance(rows, MorphRows)
    row = rows.row(GROWN.seed)
    layers = [[rows.options[i][row[i]] for i in group] for group in rows.groups]
    conv, pool = ["conv", "16", "3"], ["max_pool", "none", "3"]
    assert layers[:6] == [conv, pool, conv, pool, conv, ["absent", "none", "none"]]
    assert len(layers) == MOST and {tuple(layer) for layer in layers[5:]} == {("absent", "none", "none")}


@pytest.mark.slow
def test_every_edit_is_one_morph_of_the_layer_it_names() -> None:
    rows = MorphRows(GROWN)
    possible = rows.possible(GROWN.seed)
    children = [rows.edited(GROWN.seed, edit) for edit in range(len(rows.edits)) if possible[edit]]
    assert len(children) > 20 and len(set(children)) == len(children)
    assert set(children) - {GROWN.seed} <= {*GROWN.neighbors(GROWN.seed)} | set(_skips())
    widened = [rows.edits[edit] for edit in range(len(rows.edits)) if _wider(rows.edited(GROWN.seed, edit))]
    assert {layer for layer, _ in widened} == {0, 2, 4}  # the convolutions


def _skips() -> list[nassim.Architecture]:
    return [GROWN.morphed(GROWN.seed, morph) for morph in GROWN.morphs(GROWN.seed, ("skip_add", "skip_concat"))]


def _wider(arch: nassim.Architecture) -> bool:
    network, seed = GROWN.network(arch, GROWN.frame), GROWN.network(GROWN.seed, GROWN.frame)
    widths = [layer.settings.get("channels") for layer in network.layers[1:]]
    return len(network.layers) == len(seed.layers) and max(w for w in widths[:-1] if isinstance(w, int)) > 16


def test_an_edit_without_a_place_or_beyond_the_limits_leaves_the_network_as_it_is() -> None:
    rows = MorphRows(GROWN)
    edit = int((~rows.possible(GROWN.seed)).argmax())
    assert rows.edited(GROWN.seed, edit) == GROWN.seed


@pytest.mark.slow
def test_a_policy_transforms_networks_that_grow_within_the_space() -> None:
    policy, rng = Transformer(GROWN, random.Random(0), units=4), random.Random(1)
    archs = [GROWN.sample(rng) for _ in range(4)]
    for _ in range(5):
        results = policy.transform(archs).results
        assert all(GROWN.is_valid(after) for after in results) and results != archs
        archs = results


def test_other_spaces_are_read_by_their_choices() -> None:
    space = nassim.get_space("nasbench201")
    rows = rows_of(space)
    arch = space.sample(random.Random(0))
    assert isinstance(rows, ChoiceRows) and rows.row(arch) == arch.choices


@pytest.mark.slow
def test_neural_architect_trains_what_it_transformed_with_inherited_weights() -> None:
    class Grows(Answers):
        inherits = True

    problem = Grows("grows", GROWN, lambda arch: min(1.0, len(arch.choices) / 400))
    algorithm = nassim.get_algorithm("neural_architect").configured(episodes=2, steps=2, batch=4, real_share=1.0)
    run = nassim.run(algorithm, problem, "20q")
    inherited = [trial.query for trial in run.trials if trial.query.inherit]
    assert {query.inherit for query in inherited} == {"morph"} and len(inherited) >= 10
    assert all(not trial.query.inherit for trial in run.trials[:4])  # the random networks begin afresh
