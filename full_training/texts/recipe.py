"""Recipes of language models: everything that decides what a training gives, but for cell, text and seed.

``text-small`` is nassim's own, for some ten seconds on a core. ``darts-ptb`` has the sizes and rates of DARTS'
evaluation on the Penn Treebank (Liu et al., ICLR 2019, arXiv:1806.09055, appendix A.1.2; its code drops words by two
dropouts more): days on an accelerator, and nobody has tried it here.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from nassim.errors import InvalidSetting, UnknownName
from nassim.full_training.texts.data import TextData
from nassim.full_training.training.fields import fingerprint, refuse_values


@dataclass(frozen=True)
class TextRecipe:
    """How a language model is made and trained: gradient descent without momentum, the rate constant.

    hidden: units of the cell and size of the embedding, which is the softmax's as well (Press & Wolf, 2017).
    batch: parallel streams that the text is cut into. bptt: steps that gradients go back; the state goes on.
    rate: learning rate, for the mean loss a token. clip: largest norm of all gradients together.
    dropout_input, dropout_hidden, dropout_output: of embedded words, of states where a cell multiplies them, of
        outputs; what is dropped is the same in all steps of a batch (Gal & Ghahramani, NeurIPS 2016).
    slowness: weight of the mean squared change of outputs (temporal activation regularization, Merity et al., 2017).
    patience: epochs without a lower validation loss after which weights are averaged from there on (ASGD that is
        triggered as by Merity et al., ICLR 2018, arXiv:1708.02182); judged are then the averages.
    """

    name: str
    hidden: int = 64
    epochs: int = 4
    batch: int = 64
    bptt: int = 35
    rate: float = 20.0
    weight_decay: float = 5e-7
    clip: float = 0.25
    dropout_input: float = 0.1
    dropout_hidden: float = 0.0
    dropout_output: float = 0.1
    slowness: float = 1e-3
    patience: int = 5

    def __post_init__(self) -> None:
        refuse_values(
            self.name,
            vars(self),
            counts=("hidden", "epochs", "batch", "bptt", "patience"),
            amounts=("rate", "weight_decay", "slowness"),
            shares=("dropout_input", "dropout_hidden", "dropout_output"),
        )

    @property
    def sha256(self) -> str:
        """A hash of all fields but the name: recipes with the same one train alike."""
        return fingerprint(vars(self))

    def check(self, data: TextData) -> None:
        """`InvalidSetting` if the text is too short for the recipe's streams."""
        for split, tokens in data.splits.items():
            streams = self.batch if split == "train" else judged_streams(len(tokens))
            if len(tokens) < 2 * streams:
                raise InvalidSetting(
                    f"recipe {self.name} cuts a text into {streams} streams, and {data.name} has {len(tokens):,} "
                    f"{data.unit} in its {split} lines: use a smaller batch or a longer text."
                )


def judged_streams(tokens: int) -> int:
    """Streams in which a split is judged: ten, as is usual, fewer where the text is short."""
    return max(1, min(10, tokens // 50))


RECIPES = {
    recipe.name: recipe
    for recipe in (
        TextRecipe("text-small"),
        TextRecipe(
            "darts-ptb",
            hidden=850,
            epochs=3600,
            batch=64,
            weight_decay=8e-7,
            dropout_input=0.75,
            dropout_hidden=0.25,
            dropout_output=0.75,
        ),
    )
}


def text_recipe(name: str = "", **changes: int | float | str) -> TextRecipe:
    """The recipe of a name (empty: ``text-small``), with changed fields; `UnknownName`, `InvalidSetting`."""
    name = name or "text-small"
    if name not in RECIPES:
        raise UnknownName(f"{name!r:.60} is not a recipe for texts. Known: {', '.join(RECIPES)}.")
    unknown = set(changes) - set(asdict(RECIPES[name]))
    if unknown:
        raise InvalidSetting(f"recipes for texts have no {', '.join(sorted(unknown))}.")
    return replace(RECIPES[name], **changes)  # type: ignore[arg-type]
