"""Language models: cells against torch's own, trainings, and the benchmark of them."""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from nassim.benchmarks.spaces.rnn import DARTS_SPACE, ENAS_SPACE  # noqa: E402
from nassim.benchmarks.spaces.rnn_tree import SPACE as TREES  # noqa: E402
from nassim.errors import InvalidSetting, UnknownName, Unsupported  # noqa: E402
from nassim.full_training.texts import own, reading  # noqa: E402
from nassim.full_training.texts.data import TextData  # noqa: E402
from nassim.full_training.texts.model import (  # noqa: E402
    HighwayCell,
    LanguageModel,
    Masks,
    TreeCell,
    cell_module,
    initialize,
)
from nassim.full_training.texts.recipe import TextRecipe, text_recipe  # noqa: E402
from nassim.full_training.texts.streams import pieces, streams  # noqa: E402
from nassim.full_training.texts.train import TextLearner, train_text  # noqa: E402
from nassim.full_training.texts.trained import model_sizes  # noqa: E402
from nassim.query import Query  # noqa: E402
from nassim.recurrent import RecurrentSpace  # noqa: E402
from nassim.registry import get_benchmark, recurrent_spaces, training_spaces  # noqa: E402
from nassim.testing import check_benchmark  # noqa: E402
from tests.full_training.test_texts import lines  # noqa: E402

CPU = torch.device("cpu")
TINY = TextRecipe("tiny", hidden=8, epochs=2, batch=10, bptt=7)


def text(name: str = "tiny", unit: str = "words", count: int = 400) -> TextData:
    return reading.numbered(name, reading.divide(lines(count)), unit)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path))
    own.save(text())
    return tmp_path


def opened(name: str, noise: str = "draw", **changes: Any) -> Any:
    bench: Any = get_benchmark(name, noise)
    bench.use(replace(TINY, **changes))
    bench.move("cpu")
    return bench


# -- cells ------------------------------------------------------------------------------------------------


def test_an_lstm_is_a_tree() -> None:
    """Equal to torch's LSTM to 1e-10 over ten steps, output and memory (systems.md 2.1, spaces.md 8)."""
    hidden, batch = 6, 4
    with torch.random.fork_rng():
        torch.manual_seed(0)
        cell = TreeCell(TREES.cell(TREES.parse("LSTM")), hidden).double()
        theirs = torch.nn.LSTM(hidden, hidden, bias=False).double()
        words = torch.randn(10, batch, hidden, dtype=torch.float64)
        with torch.no_grad():
            for weight in cell.parameters():
                weight.copy_(torch.randn_like(weight))
    leaves = {"input": (2,), "forget": (0, 1), "candidate": (3,), "output": (4, 5, 6, 7)}  # of each gate, summed
    with torch.no_grad():
        for own_weight, their_weight in ((cell.of_word, theirs.weight_ih_l0), (cell.of_last, theirs.weight_hh_l0)):
            parts = own_weight.chunk(8, dim=1)
            their_weight.copy_(torch.cat([sum(parts[i] for i in which) for which in leaves.values()], dim=1).t())
    expected, (h, c) = theirs(words)
    state = cell.begin(batch)
    for step, part in enumerate(cell.project(words)):
        state = cell(part, state, None)
        assert (state[0] - expected[step]).abs().max() < 1e-10
    assert (state[0] - h[0]).abs().max() < 1e-10 and (state[1] - c[0]).abs().max() < 1e-10


def test_a_cell_of_darts_is_its_equations() -> None:
    """s_i = s_j + sigmoid(c) * (f(h) - s_j), written out; the output is the mean of all eight nodes."""
    cell = HighwayCell(DARTS_SPACE.cell(DARTS_SPACE.parse("DARTS_V2")), 5).double()
    initialize(cell, "test", 0, CPU)
    x, (h,) = torch.rand(3, 5, dtype=torch.float64), cell.begin(3)
    h = h + 0.3
    functions = {"sigmoid": torch.sigmoid, "relu": torch.relu, "identity": lambda y: y, "tanh": torch.tanh}
    c0, h0 = (torch.cat([x, h], 1) @ torch.cat([cell.of_word, cell.of_last])).chunk(2, 1)
    states = [h + c0.sigmoid() * (h0.tanh() - h)]
    for (function, j), w in zip(
        [
            ("sigmoid", 0),
            ("relu", 1),
            ("relu", 1),
            ("identity", 1),
            ("tanh", 2),
            ("sigmoid", 5),
            ("tanh", 3),
            ("relu", 5),
        ],
        cell.of_node,
        strict=True,
    ):
        gate, candidate = (states[j] @ w).chunk(2, 1)
        states.append(states[j] + gate.sigmoid() * (functions[function](candidate) - states[j]))
    (out,) = cell(cell.project(x), (h,), None)
    assert torch.allclose(out, torch.stack(states[1:]).mean(0), atol=1e-12)


def renamed(space: Any, arch: Any, order: list[int]) -> Any:
    """The cell with its nodes in another order: what was node i is node order[i - 1]."""
    first, pairs = space.pairs(arch)
    name = {0: 0} | dict(enumerate(order, 1))
    moved = sorted((name[i], name[source], f) for i, (source, f) in enumerate(pairs, 1))
    return space.of_pairs([(source, f) for _, source, f in moved], first)


@pytest.mark.parametrize("space", [DARTS_SPACE, ENAS_SPACE])
def test_cells_of_one_canonical_form_are_one_function(space: Any) -> None:
    """With the nodes' matrices exchanged likewise, outputs are equal."""
    first = space.cell(space.at(0)).first
    arch = space.of_pairs([(0, "relu"), (1, "tanh"), (0, "sigmoid"), *[(3, "tanh")] * (space.nodes - 3)], first)
    order = [2, 3, 1, *range(4, space.nodes + 1)]  # node 3 goes on from state 0 and can be the first
    other = renamed(space, arch, order)
    assert other != arch and space.canonical(other) == space.canonical(arch)
    one, two = (HighwayCell(space.cell(a), 4).double() for a in (arch, other))
    initialize(one, "test", 1, CPU)
    with torch.no_grad():
        two.of_word.copy_(one.of_word)
        two.of_last.copy_(one.of_last)
        for i, new in enumerate(order):
            two.of_node[new - 1].copy_(one.of_node[i])
    x = torch.rand(3, 4, dtype=torch.float64)
    assert torch.allclose(*(c(c.project(x), c.begin(3), None)[0] for c in (one, two)), atol=1e-12)


@pytest.mark.parametrize("space", [DARTS_SPACE, ENAS_SPACE, TREES])
def test_what_is_counted_is_there(space: RecurrentSpace) -> None:
    cell = space.cell(space.sample(random.Random(0)))
    model = LanguageModel(cell_module(cell, 8), 31, 8)
    assert model_sizes(cell, 8, 31)["parameters"] == sum(weight.numel() for weight in model.parameters())
    assert model_sizes(cell, 8, 31)["flops"] == cell.matrices * 64 + 31 * 8


# -- trainings --------------------------------------------------------------------------------------------


def test_the_state_is_carried_and_gradients_are_not() -> None:
    """Judging in pieces is judging at once: the state goes on; a training's state has no history."""
    data = text()
    learner = TextLearner(DARTS_SPACE.cell(DARTS_SPACE.at(9)), data, TINY, 0, CPU)
    rows = streams(data.splits["valid"], 4, CPU)
    (whole,) = pieces(rows, 10_000)
    with torch.no_grad():
        at_once = learner.model(whole.tokens, learner.model.cell.begin(4))[0]
        state, parts = learner.model.cell.begin(4), []
        for piece in pieces(rows, 7):
            logits, state, _ = learner.model(piece.tokens, state)
            parts.append(logits)
    assert torch.allclose(torch.cat(parts), at_once, atol=1e-5) and len(parts) > 2
    first = next(pieces(learner.rows, 7))
    _, _, after = learner.step(first, learner.model.cell.begin(10), Masks())
    assert all(not part.requires_grad for part in after)


def test_what_is_dropped_is_the_same_in_all_steps() -> None:
    recipe = replace(TINY, dropout_input=0.5, dropout_hidden=0.5, dropout_output=0.5)
    masks = Masks.drawn(recipe, 50, torch.Generator().manual_seed(0), CPU)
    assert all(mask is not None and set(mask.unique().tolist()) == {0.0, 2.0} for mask in masks)
    assert Masks.drawn(
        replace(TINY, dropout_input=0, dropout_hidden=0, dropout_output=0), 5, torch.Generator(), CPU
    ) == (
        None,
        None,
        None,
    )
    cell = HighwayCell(DARTS_SPACE.cell(DARTS_SPACE.at(0)), 8)
    model = LanguageModel(cell, 5, 8)
    initialize(model, "test", 0, CPU)
    seen: list[Any] = []
    cell.register_forward_hook(lambda _, given, __: seen.append(given[2]))
    mask = torch.ones(3, 8)
    model(torch.zeros(4, 3, dtype=torch.long), cell.begin(3), Masks(hidden=mask))
    assert len(seen) == 4 and all(one is mask for one in seen)


def test_a_training_learns_and_is_a_function_of_its_arguments(tmp_path: Path) -> None:
    """Resumed or not, short or long: the same curve; and below what the words' frequencies give."""
    data, arch = text(), DARTS_SPACE.parse("DARTS_V1")
    recipe, cell = replace(TINY, epochs=4, rate=10.0), DARTS_SPACE.cell(arch)
    whole = train_text(arch, data, recipe, 3, network=cell)
    again = train_text(arch, data, recipe, 3, network=cell, until=2, resume=tmp_path / "kept.pt")
    assert again.valid_loss == whole.valid_loss[:2] and again.test_loss is None
    goes_on = train_text(arch, data, recipe, 3, network=cell, resume=tmp_path / "kept.pt")
    assert goes_on.valid_loss == whole.valid_loss and goes_on.test_loss == whole.test_loss
    assert train_text(arch, data, recipe, 4, network=cell).valid_loss != whole.valid_loss
    counts = Counter(data.splits["train"].tolist())
    total = sum(counts.values())
    unigram = -sum(math.log(counts[int(t)] / total) for t in data.splits["valid"]) / len(data.splits["valid"])
    assert whole.valid_loss[-1] < unigram - 0.3 and whole.train_accuracy[-1] > 0.3


def test_weights_are_averaged_where_the_loss_stops_falling() -> None:
    """ASGD: from the trigger on the judged weights are the mean of those after each step."""
    data = text()
    learner = TextLearner(DARTS_SPACE.cell(DARTS_SPACE.at(0)), data, replace(TINY, patience=2), 0, CPU)
    assert learner.settle([3.0, 2.0]) == "" and learner.settle([3.0, 2.0, 1.9, 1.8]) == ""
    assert learner.settle([3.0, 2.0, 2.1, 2.2]) == "weights averaged from epoch 5 on"
    state, seen = learner.model.cell.begin(10), []
    for piece, _ in zip(pieces(learner.rows, 7), range(5), strict=False):
        _, _, state = learner.step(piece, state, Masks())
        seen.append(learner.model.embedding.detach().clone())
    assert torch.allclose(learner.averages[0], torch.stack(seen).mean(0), atol=1e-6)
    before = learner.model.embedding.detach().clone()
    averaged = learner.evaluate(data.splits["valid"])
    assert torch.equal(learner.model.embedding.detach(), before)
    learner._put(learner.averages)
    learner.averages = []
    assert learner.evaluate(data.splits["valid"]) == averaged


def test_a_loss_that_is_not_finite_ends_a_training_as_failed() -> None:
    tree = TREES.parse(" ".join(["+relu"] * 8 + ["*identity"] * 7) + " / +identity 14 14")
    found = train_text(tree, text(), replace(TINY, rate=1e9, clip=1e9), 0, network=TREES.cell(tree))
    assert "not finite" in found.failed and found.valid_loss == () and found.test_loss is None


# -- the benchmark ----------------------------------------------------------------------------------------


def test_every_recurrent_space_is_trained_on_every_text() -> None:
    assert recurrent_spaces() == ["rnn", "rnn-enas", "rnn_tree"] and not set(recurrent_spaces()) & set(
        training_spaces()
    )
    for space in recurrent_spaces():
        bench = opened(f"{space}/tiny:training", epochs=1)
        arch = bench.space.sample(random.Random(1))
        result = bench.query(Query(arch), random.Random(0))
        (kept,) = bench.kept.all_of(bench.data.sha256, bench.recipe.sha256, space)
        assert result.value == -kept.valid_loss[-1] and result.extras == bench.measure(arch) and result.cost > 0
        assert bench.mean_accuracy(arch) == result.value and bench.test_accuracy(arch) == -kept.test_loss
        assert bench.metric.read(result.value) == f"{math.exp(-result.value):.4g}"
        assert "perplexity" in bench.metric.titled("valid") and bench.regret_metric == "test_loss"


def test_a_failed_training_answers_as_one_that_knows_nothing() -> None:
    bench = opened("rnn_tree/tiny:training", rate=1e9, clip=1e9)
    arch = TREES.parse(" ".join(["+relu"] * 8 + ["*identity"] * 7) + " / +identity 14 14")
    result = bench.query(Query(arch), random.Random(0))
    assert result.value == -math.log(len(bench.data.vocabulary)) and result.extras["failed"] == 1.0


@pytest.mark.slow
@pytest.mark.parametrize("noise", ["draw", "mean"])
def test_a_benchmark_of_texts_keeps_the_contract(noise: str) -> None:
    check_benchmark(opened("rnn/tiny:training", noise, hidden=4, bptt=20, batch=40))


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("rnn/digits:training", UnknownName, "'digits' is not a text"),
        ("rnn/handbok:training", UnknownName, "Did you mean handbook"),
        ("darts/handbook:training", UnknownName, "is not a set of images"),
        ("rnn/tiny", UnknownName, "is a search space, of which there is no table"),
    ],
)
def test_what_does_not_fit_is_one_line(name: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as raised:
        get_benchmark(name)
    assert "\n" not in str(raised.value)


def test_recipes_that_cannot_be_are_refused() -> None:
    for changes in ({"hidden": 0}, {"rate": -1.0}, {"dropout_input": 1.0}, {"clip": 0.0}, {"heads": 2}):
        with pytest.raises(InvalidSetting):
            text_recipe(**changes)
    with pytest.raises(UnknownName, match="text-small"):
        text_recipe("small")
    with pytest.raises(InvalidSetting, match="use a smaller batch"):
        text_recipe(batch=10_000).check(text())
    with pytest.raises(Unsupported, match="from scratch"):
        train_text(DARTS_SPACE.at(0), text(), TINY, 0, network=DARTS_SPACE.cell(DARTS_SPACE.at(0)), compiled=True)
