"""Supernets of recurrent cells: paths are cells, keys are shared, gradients are exact; the searches that use them."""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from nassim.benchmarks.spaces.rnn import DARTS_SPACE, ENAS_SPACE, CellSpace, DartsCells  # noqa: E402
from nassim.errors import InvalidSetting, ProtocolError  # noqa: E402
from nassim.full_training.relaxations.attention import RecurrentController, controller_for, controller_of  # noqa: E402
from nassim.full_training.relaxations.bilevel import descent, unrolled_gradient  # noqa: E402
from nassim.full_training.relaxations.controller import reward  # noqa: E402
from nassim.full_training.relaxations.mixtures import Mix, small_logits, softmax  # noqa: E402
from nassim.full_training.texts import own, reading, sources  # noqa: E402
from nassim.full_training.texts.model import HighwayCell, LanguageModel, Masks  # noqa: E402
from nassim.full_training.texts.recipe import TextRecipe  # noqa: E402
from nassim.full_training.texts.sources import supernet_settings, supernets_on  # noqa: E402
from nassim.full_training.texts.supernet import SharedCells, TextBatch  # noqa: E402
from nassim.metric import ACCURACY, Metric  # noqa: E402
from nassim.registry import get_algorithm, get_benchmark, get_space, get_supernets  # noqa: E402
from nassim.run import run  # noqa: E402
from nassim.space import Architecture  # noqa: E402
from tests.full_training.test_texts import lines  # noqa: E402

TEXT = reading.numbered("tiny", reading.divide(lines(200)), "words")
PLAIN = TextRecipe("tiny", 6, bptt=5, batch=8, dropout_input=0.0, dropout_output=0.0, slowness=0.0, rate=5.0)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path))
    own.save(TEXT)
    return tmp_path


def supernet(space: CellSpace = DARTS_SPACE, keys: str = "target", recipe: TextRecipe = PLAIN) -> SharedCells:
    made = SharedCells(space, TEXT, recipe, 1, settings={**supernet_settings(space, TEXT), "keys": keys})
    made.schedule(3, 1.0, 1.0, weight_decay=0.0)
    return made


def batch(shared: SharedCells) -> TextBatch:
    return next(shared.scoring_batches(0, 8))


def one_hot(shared: SharedCells, mix: Mix) -> Mix:
    weights = torch.zeros(len(mix.active), max(shared.layout.widths))
    for row, (option,) in zip(weights, mix.active, strict=True):
        row[option] = 1.0
    return Mix(tuple(tuple(range(n)) for n in shared.layout.widths), weights)


# -- paths and keys ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("keys", ["target", "source"])
@pytest.mark.parametrize("space", [DARTS_SPACE, ENAS_SPACE])
def test_a_path_is_the_cell_alone(space: CellSpace, keys: Any) -> None:
    """Without the normalization of supernets a path with shared weights is the cell with those weights."""
    shared = supernet(space, keys)
    shared.network.cell.normalized = False
    arch = space.parse("ENAS" if space is ENAS_SPACE else "DARTS_V2")
    cell = space.cell(arch)
    alone = LanguageModel(HighwayCell(cell, 6), len(TEXT.vocabulary), 6)
    mixed = shared.network.cell
    with torch.no_grad():
        alone.embedding.copy_(shared.network.embedding)
        alone.bias.copy_(shared.network.bias)
        alone.cell.of_word.copy_(mixed.of_word)
        alone.cell.of_last.copy_(mixed.of_last)
        for i, node in enumerate(cell.nodes, 1):
            alone.cell.of_node[i - 1].copy_(mixed.weight(node.source, i))
        piece, state = batch(shared).piece, shared.network.cell.begin(8)
        logits = shared.network(piece.tokens, state, Masks(), shared.path(arch))[0]
        assert torch.allclose(logits, alone(piece.tokens, state)[0], atol=1e-6)


def test_one_hot_weights_are_a_path() -> None:
    shared, rng = supernet(), random.Random(0)
    for _ in range(5):
        mix = shared.path(DARTS_SPACE.sample(rng))
        assert shared.score(one_hot(shared, mix), batch(shared)) == pytest.approx(
            shared.score(mix, batch(shared)), abs=1e-6
        )


def test_the_same_key_is_the_same_tensor() -> None:
    """ENAS: of a node and its source, whatever the function; DARTS: of a node (systems.md 2.3 and 5.1)."""
    by_source, by_target = supernet(keys="source").network.cell, supernet(keys="target").network.cell
    assert len(by_source.of_node) == 36 and len(by_target.of_node) == 8
    assert by_source.weight(2, 5) is by_source.weight(2, 5) and by_source.weight(2, 5) is not by_source.weight(3, 5)
    assert by_target.weight(2, 5) is by_target.weight(3, 5) is not by_target.weight(3, 6)
    assert by_source.of_node[0].shape == (6, 12), "one matrix for gate and candidate, none for functions"


def test_training_a_cell_leaves_the_weights_of_others_bit_identical() -> None:
    """ENAS' check: weights with keys that the trained child has not are untouched."""
    shared = supernet(keys="source", recipe=replace(PLAIN, rate=1.0))
    arch = DARTS_SPACE.parse("DARTS_V1")
    used = {(node.source, i) for i, node in enumerate(DARTS_SPACE.cell(arch).nodes, 1)}
    before = [w.detach().clone() for w in shared.network.cell.of_node]
    for train in shared.training_batches(0, 8):
        shared.step(shared.path(arch), train)
    for edge, old, new in zip(shared.layout.edges, before, shared.network.cell.of_node, strict=True):
        assert torch.equal(old, new.detach()) == (edge not in used)


def test_enas_shares_by_source_and_darts_by_target() -> None:
    """On the same space, whatever its settings say: the run's supernet is asked by the strategy."""
    shared = supernet(keys="target")
    controller_for(shared, random.Random(0))
    assert len(shared.network.cell.of_node) == 36
    settings = {name: supernet_settings(get_space(name), TEXT)["keys"] for name in ("rnn", "rnn-enas")}  # type: ignore[arg-type]
    assert settings == {"rnn": "target", "rnn-enas": "source"}


# -- batches ----------------------------------------------------------------------------------------------


def test_the_state_is_carried_from_piece_to_piece() -> None:
    shared, arch = supernet(), DARTS_SPACE.parse("DARTS_V2")
    mix, states, ends = shared.path(arch), [], []
    for train, valid in shared.batches(0, 8):
        shared.loss(mix, valid)
        shared.step(mix, train)
        states.append(train.state[0])
        ends.append(train.carried.state[0] if train.carried else None)
        if len(states) == 3:
            break
    assert not states[0].any() and torch.equal(states[1], ends[0]) and torch.equal(states[2], ends[1])
    assert not states[1].requires_grad and states[1].any()
    assert not next(shared.scoring_batches(0, 8)).state[0].any(), "scores begin with zeros"


def test_scores_are_minus_losses_and_rewards_c_over_perplexity() -> None:
    shared = supernet()
    mix, one = shared.path(DARTS_SPACE.at(5)), batch(shared)
    assert shared.score(mix, one) == pytest.approx(-shared.loss(mix, one).item(), abs=1e-6)
    assert shared.score(mix) == pytest.approx(-math.log(len(TEXT.vocabulary)), abs=0.3)
    assert shared.metric == Metric("loss", "nats", "perplexity")
    assert reward(-math.log(40.0), shared) == pytest.approx(80 / 40)
    shared.metric = ACCURACY
    assert reward(0.7, shared) == 0.7


# -- gradients --------------------------------------------------------------------------------------------


def test_the_second_order_gradient_is_that_through_the_step() -> None:
    """DARTS' check (systems.md 5.1) in float64: against autograd through the update, relative error below 1e-3."""
    # Of smooth functions: at relu's kink the two differ, as the difference sees the jump of the first gradient.
    shared = supernet(DartsCells("smooth", ("tanh", "sigmoid", "identity"), 4, first=False))
    shared.network.double()
    shared.schedule(1, 0.5, 0.5, weight_decay=0.0)
    train, valid = next(shared.batches(0, 8))
    train, valid = (
        TextBatch(one.piece, tuple(part.double() for part in one.state), Masks(), None) for one in (train, valid)
    )
    widths = shared.layout.widths
    alpha = (100 * small_logits(widths, random.Random(0)).double()).detach().requires_grad_()
    before = [w.detach().clone() for w in shared.weights]

    def loss_of(one: TextBatch) -> Any:
        return shared.loss(softmax(alpha, widths), one)

    # The difference's step is a hundredth of the search's, so that what the curvature leaves of it is small.
    found = unrolled_gradient(alpha, shared.weights, loss_of, train, valid, shared.next_update(), probe=1e-4)
    assert all(torch.equal(old, new.detach()) for old, new in zip(before, shared.weights, strict=True))
    names = [name for name, _ in shared.network.named_parameters()]
    gradients = torch.autograd.grad(shared.loss(softmax(alpha, widths), train), shared.weights, create_graph=True)
    moved = {n: w - 0.5 * g for n, w, g in zip(names, shared.weights, gradients, strict=True)}
    arguments = (valid.piece.tokens, valid.state, Masks(), softmax(alpha, widths))
    logits = torch.func.functional_call(shared.network, moved, arguments)[0]
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), valid.piece.wanted.flatten())
    (exact,) = torch.autograd.grad(loss, [alpha])
    assert (found - exact).norm() / exact.norm() < 1e-3
    first = descent(shared, alpha, lambda: softmax(alpha, widths), train, valid, 1)
    assert (first - exact).norm() / exact.norm() > 1e-3, "the second order is another gradient"


# -- ENAS' controller -------------------------------------------------------------------------------------


@pytest.mark.parametrize("space", [DARTS_SPACE, ENAS_SPACE])
def test_the_controller_says_cells_with_near_sources(space: CellSpace) -> None:
    """The penalty on the distance: at the first weights the source before is the likeliest by far."""
    controller = controller_of(space.layout, random.Random(0))
    assert isinstance(controller, RecurrentController)
    said = controller.sample(300)
    archs = [space.check(Architecture(space.name, choices)) for choices in said.choices]
    assert said.log_probability.shape == (300,) and bool((said.log_probability < 0).all())
    distances = Counter(8 - space.cell(arch).nodes[7].source for arch in archs)
    weights = [math.exp(-(d**2) / 6) for d in range(1, 9)]
    assert distances[1] / 300 == pytest.approx(weights[0] / sum(weights), abs=0.12)
    assert distances[1] > distances[3] > distances[6] * 3
    said.log_probability.sum().backward()
    assert all(parameter.grad is not None for parameter in controller.parameters())


# -- searches ---------------------------------------------------------------------------------------------

SMALL = {"epochs": 1, "batch_size": 40}
CONTROLLED = {"controller_steps": 2, "controller_samples": 2, "derived": 3}


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("darts", {}),
        pytest.param("darts", {"order": 2}, marks=pytest.mark.slow),
        ("enas", CONTROLLED),
        ("random_nas", {"candidates": 3, "score_batches": 1, "finalists": 2}),
        pytest.param("gdas", {}, marks=pytest.mark.slow),
        pytest.param("snas", {}, marks=pytest.mark.slow),
    ],
)
def test_strategies_that_share_weights_search_cells(name: str, settings: dict[str, Any]) -> None:
    algorithm = get_algorithm(name).configured(**SMALL, **settings)
    answers = []
    for _ in range(2):
        shared = supernet(recipe=replace(PLAIN, bptt=12))
        search = algorithm.begin(DARTS_SPACE, random.Random(3), supernet=shared)
        message: Any = search.ask()
        answers.append(DARTS_SPACE.check(message.arch))
        assert message.cost > 0 and math.isfinite(shared.training_loss())
    assert answers[0] == answers[1], "same seed, same answer"


def test_what_recurrent_supernets_cannot_is_one_line() -> None:
    shared = supernet()
    with pytest.raises(InvalidSetting, match="no partial channels"):
        shared.shape(partial=4)
    with pytest.raises(InvalidSetting, match="no paths are dropped"):
        shared.drop_paths(0.2, 0)
    weighed = shared.path(DARTS_SPACE.at(0))
    with pytest.raises(ProtocolError, match="weighs decisions as a whole"):
        shared.score(Mix(weighed.active, edges=torch.ones(36)), batch(shared))
    assert supernets_on(get_space("rnn_tree"), "tiny") is None  # type: ignore[arg-type]
    assert get_supernets("rnn/tiny").benchmark == "rnn/tiny"


@pytest.mark.parametrize("name", ["darts", "enas", "random_nas"])
def test_a_search_with_shared_weights_runs_on_a_text(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`nassim run NAME --benchmark rnn/TEXT:training --live`: its last answer is trained once, as there is no table."""
    monkeypatch.setattr(sources, "_RECIPE", replace(PLAIN, bptt=12))
    bench: Any = get_benchmark("rnn/tiny:training")
    bench.use(replace(PLAIN, epochs=1, batch=40, bptt=20))
    more = CONTROLLED if name == "enas" else {"candidates": 3, "finalists": 1} if name == "random_nas" else {}
    found = run(get_algorithm(name).configured(**SMALL, **more), bench, "1000s", seed=1, live=True, device="cpu")
    assert found.incumbents[-1].source == "final training" and -4 < found.best.valid < 0 and -4 < found.best.test < 0


@pytest.mark.parametrize("name", ["rs", "re", "nasrl", "ls"])
def test_strategies_that_ask_search_cells_by_training(name: str) -> None:
    bench: Any = get_benchmark("rnn/tiny:training")
    bench.use(replace(PLAIN, epochs=1, batch=40, bptt=20))
    bench.move("cpu")
    algorithm = get_algorithm(name)
    if name == "re":
        algorithm = algorithm.configured(population_size=2, sample_size=2)
    found = run(algorithm, bench, "4q", seed=1)
    values = {trial.arch: trial.value for trial in found.trials}
    assert len(found.trials) == 4 and found.best.arch == max(values, key=values.__getitem__)
    assert -4 < found.best.valid < 0 and -4 < found.best.test < 0
