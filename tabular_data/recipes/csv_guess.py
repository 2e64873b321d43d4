"""A specification guessed from a user's file, with what is unsure of it: ``nassim data template mine.csv``."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from nassim.tabular_data.recipes.csv_guess_space import guess_space
from nassim.tabular_data.recipes.csv_head import Head, quoted
from nassim.tabular_data.recipes.csv_roles import LESS, METRICS, SPLITS, Role

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,59}")


class Guess(NamedTuple):
    """The text of a specification, and what is unsure of it, a sentence each."""

    text: str
    unsure: list[str]


def guess(path: Path) -> Guess:
    """Read the first rows of a file and say what its columns are.

    `CorruptData` or `InvalidSetting`, in one line, for what is no table of results.
    """
    return _Guesser(Head.of(path)).guess()


class _Guesser:
    """Takes the columns one role after the other; what is left are decisions."""

    def __init__(self, head: Head) -> None:
        self.head, self.table, self.roles, self.numbers = head, head.table, head.roles, head.numbers
        self._note = head.note

    def guess(self) -> Guess:
        if self.head.read:
            self._note(f"only the first {self.head.read:,} rows were read: options that come later are missing.")
        epoch, repeat, split = self._epoch(), self.head.one("repeat"), self._split()
        judged = self._judged(split)
        cost = self.head.one("cost")
        metrics = {name for name, role in self.roles.items() if role.kind == "metric"}
        taken = {epoch, repeat, split, cost, *metrics} - {""}
        space = guess_space(self.head, taken)
        sections = [
            *space.text,
            judged,
            self._training_section(epoch, repeat, split, space.archs),
            self._cost_section(cost, epoch, repeat, space.archs),
            self._extras_section(taken | space.columns, space.archs),
        ]
        name = re.sub(r"[^ -~]", "?", self.head.path.name)
        top = [
            f"# Guessed by `nassim data template` from {name}. Read it, then:",
            f"#     nassim data import NAME {name} --spec THIS_FILE",
            "# `nassim data template` without a file prints all keys.",
            *(["#", "# Unsure:"] if self.head.unsure else []),
            *(f"# - {sentence}" for sentence in self.head.unsure),
        ]
        return Guess("\n\n".join(filter(None, ["\n".join(top), *sections])) + "\n", self.head.unsure)

    def _epoch(self) -> str:
        name = self.head.one("epoch")
        if name and not all(value >= 1 and value.is_integer() for value in self.numbers[name] or ()):
            self._note(f"{name:.60} has values that are no number of epochs (1, 2, ...): the import will refuse them.")
        return name

    def _split(self) -> str:
        """The column that says the split of each row."""
        name = self.head.one("split")
        known = set().union(*SPLITS.values())
        return name if name and all(word.lower() in known for word in self.head.different[name]) else ""

    def _judged(self, split: str) -> str:
        """The section of what trainings are judged by."""
        found = {
            name: role
            for name, role in self.roles.items()
            if role.kind == "metric" and role.split != "train" and self.numbers[name] is not None
        }
        if not found:
            raise self.head.error(
                "no column is called like an accuracy, an error or a loss (val_acc, test_error, loss): rename one, or "
                "begin with what `nassim data template` prints."
            )
        by_metric: dict[str, dict[str, str]] = defaultdict(dict)  # metric -> split -> column
        for name, role in found.items():
            by_metric[role.name].setdefault(role.split, name)
        order = sorted(METRICS, key=lambda metric: "valid" not in by_metric.get(metric, {}) and not split)
        metric = next(metric for metric in order if metric in by_metric)
        of = by_metric[metric]
        valid = of.get("valid") or of.get("") or of["test"]
        test = of["test"] if valid != of.get("test") and "test" in of else ""
        others = [name for name in found if name not in (valid, test)]
        if others:
            self._note(f"judged by {valid:.60}; left out: {', '.join(others):.200}.")
        if any(re.sub(r"\d+", "", name) == re.sub(r"\d+", "", valid) for name in others):
            self._note(
                f"if columns like {valid:.60} are epochs or seeds, write {{epoch}} or {{repeat}} for the number."
            )
        if split:
            lines = self._split_lines(split, valid)
        else:
            if valid == of.get("test"):
                self._note(f"{valid:.60} is of the test split, and a search would see it: there is no other.")
            elif valid == of.get(""):
                self._note(f"{valid:.60} does not say its split: it is taken for the validation split.")
            lines = [f"valid = {quoted(valid)}  # what a search sees"]
            lines += [f"test = {quoted(test)}  # what is reported"] if test else []
        values = [value for name in (valid, test) if name for value in self.numbers[name] or ()]
        return "\n".join([*self._metric_lines(metric, self.roles[valid], values), *lines])

    def _split_lines(self, split: str, value: str) -> list[str]:
        """The words of the column that says each row's split."""
        different = self.head.different[split]
        words = {of: word for word in different for of, known in SPLITS.items() if word.lower() in known}
        if "valid" not in words:
            self._note(f"{split:.60} has no word for the validation split: write which one searches see.")
        lines = [f"split = {quoted(split)}", f"value = {quoted(value)}"]
        lines += [f"valid = {quoted(words.get('valid', different[0]))}"]
        return lines + ([f"test = {quoted(words['test'])}"] if {"valid", "test"} <= words.keys() else [])

    def _metric_lines(self, metric: str, role: Role, values: Sequence[float]) -> list[str]:
        """The section's name and the metric's unit, from the name and the values."""
        low, high = min(values, default=0.0), max(values, default=0.0)
        percent = bool(role.unit) or high > 1
        if metric == "accuracy" and low >= 0 and high <= 100:
            if percent and high <= 1:
                self._note(f"the accuracy is called percent, and none is above {high:g}: is it a fraction?")
            elif percent and high <= 2:
                self._note(f"the highest accuracy is {high:g}: is it percent?")
            return ["[accuracy]", f'unit = "{"percent" if percent else "fraction"}"']
        if metric == "accuracy":
            self._note(
                f"the accuracies go from {low:g} to {high:g}: they are taken as a number of which more is better."
            )
            return ["[metric]", 'name = "score"', 'better = "more"']
        lines = ["[metric]", f'name = "{metric}"']
        if metric == "error":
            lines += ['unit = "%"'] if percent else []
        elif metric == "loss":
            lines += ['# unit = "nats"']
            self._note("the unit of the loss is not known: write it, if it has one.")
        if metric not in ("accuracy", "error", "loss"):
            word = "less" if metric in LESS else "more"
            self._note(f"of {metric}, {word} is taken to be better.")
        return [*lines, f'better = "{"less" if metric in LESS else "more"}"']

    def _training_section(self, epoch: str, repeat: str, split: str, archs: Sequence[tuple[str, ...]]) -> str:
        lines = []
        if epoch:
            lines.append(f"epoch = {quoted(epoch)}")
            if len(self.head.different[epoch]) > 1:
                lines.append("# continues = true  # if a shorter training is the beginning of a longer one")
                self._note("are shorter trainings the beginnings of longer ones? Then say continues = true.")
        else:
            lines.append("epochs = 1  # of every training: write the number")
            self._note("no column says the epochs: write their number in place of 1.")
        lines += [f"repeat = {quoted(repeat)}"] if repeat else []
        said = [self.table[name] for name in (epoch, repeat, split) if name]
        rows = list(zip(archs, *said, strict=True))
        if len(set(rows)) < len(rows):
            self._note("some rows say the same architecture, epochs and seed twice: the import will refuse the second.")
        return "\n".join(["[training]", *lines])

    def _cost_section(self, cost: str, epoch: str, repeat: str, archs: Sequence[tuple[str, ...]]) -> str:
        if not cost:
            self._note("no column says what a training took: each epoch costs a second.")
            return "[cost]\nseconds_per_epoch = 1.0"
        role = self.roles[cost]
        lines = [f"column = {quoted(cost)}", f'unit = "{role.unit or "seconds"}"']
        if not role.unit:
            self._note(f"{cost:.60} does not say its unit: seconds are taken.")
        of_epoch = role.per_epoch
        if epoch and not of_epoch and len(self.head.different[epoch]) > 1:
            of_epoch = not self._grows(cost, epoch, repeat, archs)
            if of_epoch:
                self._note(f"{cost:.60} hardly grows with the epochs: it is taken for that of one epoch.")
        return "\n".join(["[cost]", *lines, *(['of = "epoch"'] if of_epoch else [])])

    def _grows(self, cost: str, epoch: str, repeat: str, archs: Sequence[tuple[str, ...]]) -> bool:
        """Whether most trainings of more epochs cost clearly more than the shortest of the same architecture."""
        seeds = self.table[repeat] if repeat else [""] * len(archs)
        ends: dict[object, list[tuple[float, float]]] = defaultdict(list)
        for arch, seed, *pair in zip(archs, seeds, self.table[epoch], self.table[cost], strict=True):
            if all(pair):
                ends[arch, seed].append((float(pair[0]), float(pair[1])))
        votes = [
            max(of)[1] / min(of)[1] > math.sqrt(max(of)[0] / min(of)[0])
            for of in ends.values()
            if min(of)[0] > 0 and min(of)[1] > 0 and max(of)[0] > min(of)[0]
        ]
        return 2 * sum(votes) >= len(votes)

    def _extras_section(self, taken: set[str], archs: Sequence[tuple[str, ...]]) -> str:
        """Numbers that an architecture has, the same in all its rows."""
        lines, left = [], []
        for name, role in self.roles.items():
            if name in taken or role.kind not in ("property", "label", "architecture"):
                continue
            seen: dict[tuple[str, ...], str] = {}
            same = all(seen.setdefault(arch, cell) == cell for arch, cell in zip(archs, self.table[name], strict=True))
            key = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_")
            if role.kind == "property" and same and self.numbers[name] is not None and _NAME.fullmatch(key):
                unit = f", unit = {quoted(role.unit)}" if role.unit else ""
                lines.append(f"{key} = {{ column = {quoted(name)}{unit} }}")
            else:
                left.append(name)
        if left:
            self._note(f"left out: {', '.join(left):.200}.")
        return "\n".join(["[extras]", *dict.fromkeys(lines)]) if lines else ""
