"""What changed since an older study, with a test: for regressions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from nassim.errors import InvalidSetting
from nassim.metric import Metric
from nassim.report.numerals import number, p_value, with_limits
from nassim.report.runs import SPLIT_NAMES, Part, Reference
from nassim.report.table import Entry, Table, named, no_table, row
from nassim.stats import Change, changes_between, common_budget, final_values
from nassim.stats.changes import BETTER, NO_DIFFERENCE, WORSE
from nassim.study import Study

Runs = dict[str, dict[int, float]]


class Changes(NamedTuple):
    """The changes of every strategy on every benchmark; ``notes`` say on what ground the two are compared.

    ``metrics``: benchmark -> what its regret is of.
    """

    old: str
    found: list[Change]
    notes: tuple[str, ...]
    metrics: Mapping[str, Metric] = {}

    @property
    def worse(self) -> list[Change]:
        """What became significantly worse."""
        return [change for change in self.found if change.verdict == WORSE]

    @property
    def sentence(self) -> str:
        """The changes in one sentence."""
        by_verdict: dict[str, list[str]] = {}
        for change in self.found:
            by_verdict.setdefault(change.verdict, []).append(f"{change.strategy} on {change.benchmark}")
        parts = []
        for verdict, names in by_verdict.items():
            listed = (
                ", ".join(names)
                if len(names) <= 4 or verdict in (BETTER, WORSE)
                else f"{len(names)} of {len(self.found)} cases"
            )
            parts.append(f"{verdict}: {listed}")
        return f"Since {self.old}: {'; '.join(parts)}." if parts else f"There is nothing to compare with {self.old}."


def changes_since(study: Study, old_folder: Path) -> Changes:
    """Compare a study's final regrets with those of the study in ``old_folder`` (`MissingData` if there is none)."""
    old = Study.open(old_folder)
    if old.settings.get("clock") != study.settings.get("clock"):
        raise InvalidSetting(
            f"{old_folder} is on another clock than this study (wall or simulated): they are never compared."
        )
    notes: list[str] = []
    before: dict[str, Runs] = {}
    after: dict[str, Runs] = {}
    same_budget = old.settings["budget"] == study.settings["budget"]
    for key in ("budget", "workers", "noise", "protocol"):
        if old.settings.get(key) != study.settings.get(key):
            notes.append(f"The {key} was {old.settings.get(key)} and is {study.settings.get(key)}.")
    for name in dict.fromkeys([*study.benchmarks, *old.benchmarks]):
        parts = [Part(s, name) if name in s.benchmarks else None for s in (old, study)]
        if parts[0] is None or parts[1] is None:
            there = after if parts[0] is None else before
            part = parts[1] or parts[0]
            there[name] = part.final_regrets() if part is not None else {}
            continue
        found = _on_one_ground(parts[0], parts[1], same_budget, notes)
        if found is not None:
            before[name], after[name] = found
    old.close()
    metrics = {name: facts.metric for name, facts in {**old.facts, **study.facts}.items()}
    return Changes(str(old_folder), changes_between(before, after), tuple(notes), metrics)


def _on_one_ground(old: Part, new: Part, same_budget: bool, notes: list[str]) -> tuple[Runs, Runs] | None:
    """Both studies' final regrets on one split, from one best value and after one budget."""
    if old.metric != new.metric:
        notes.append(f"{new.name}: {old.metric.name} then, {new.metric.name} now: nothing can be compared.")
        return None
    both = [split for split in (new.split, "valid", "test") if split in old.references and split in new.references]
    if not both:
        notes.append(f"{new.name}: no split has results in both studies, so nothing can be compared.")
        return None
    split = both[0]
    if split != new.split or split != old.split:
        notes.append(f"{new.name} is compared on {SPLIT_NAMES[split]} regret, which both studies have.")
    if old.facts.sha256 != new.facts.sha256:
        notes.append(f"{new.name}: the data are not the same (SHA-256); a change may come from them.")
    best = max(part.references[split].value for part in (old, new))
    at = None
    curves = []
    for part in (old, new):
        part.references[split] = Reference(best, part.references[split].known)
        curves.append(part.curves("seconds", split))
    if not same_budget:
        at = common_budget([*curves[0].values(), *curves[1].values()]).value
        notes.append(f"{new.name} is compared after {at:,.0f} {new.clock.words}, which all runs of both had.")
    found = []
    for part, of in zip((old, new), curves, strict=True):
        ends = {s: final_values(group, at).tolist() for s, group in of.items()}
        found.append({s: {run.seed: v for run, v in zip(part.runs[s], ends[s], strict=True)} for s in ends})
    return found[0], found[1]


def changes_table(changes: Changes) -> Table:
    """The changes as a table."""
    units = dict.fromkeys(changes.metrics[change.benchmark].regret_words for change in changes.found)
    unit = "percentage points" if not units else next(iter(units)) if len(units) == 1 else "each in its own unit"
    caption = f"What changed since {changes.old} (final regret{f', {unit}' if unit else ''})."
    if not changes.found:
        return no_table("changes", caption, " ".join(changes.notes) or "The two studies have nothing in common.")
    rows = []
    for change in changes.found:
        difference, metric = change.difference.value, changes.metrics[change.benchmark]
        strong = change.verdict in (BETTER, WORSE)
        rows.append(
            row(
                named(change.strategy),
                change.benchmark,
                f"{number(change.old.iqm, metric)} ({change.old.n})",
                f"{number(change.new.iqm, metric)} ({change.new.n})",
                "–" if difference is None else with_limits(difference, metric),
                "–" if math.isnan(change.p_holm) else p_value(change.p_holm),
                Entry(change.verdict, strong=strong),
                change.why,
            )
        )
    ends = ("old IQM (runs)", "new IQM (runs)", "new less old [95 %]")
    unclear = any(change.verdict == NO_DIFFERENCE for change in changes.found)
    notes = (*changes.notes, *(["No difference found is not: no difference."] if unclear else []))
    return Table("changes", caption, ("strategy", "benchmark", *ends, "p (Holm)", "verdict", "why"), rows, notes)
