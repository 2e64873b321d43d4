"""Every sentence of a report follows from its tables: 200 small studies, read by other means than those that write."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from scipy.stats import rankdata

from nassim.report import analysis as analysis_module
from nassim.report.analysis import Analysis
from nassim.report.diagram import diagram_of
from nassim.report.pairs import pairs_table, ranks_table, wins_table
from nassim.report.results import results_table
from nassim.report.table import Table, to_markdown
from nassim.study import Study

Row = dict[str, str]
BENCHMARKS = ("made/one", "made/two", "made/three")
STRATEGIES = ("random_search", "ant", "bee", "cat", "dog")
SHARE = r"(\d+) %"
LOWEST = re.compile(
    r"On (\S+), (?:of the (\d+) strategies with all (\d+) seeds )?(.+?) (?:ends with|share) the lowest validation "
    r"regret, (\S+) percentage points \((.+)\) after (.+)"
)
RANKED = re.compile(
    r"Over (?:(\d+) of )?(\d+) benchmarks, (.+) (?:has|share) the best mean rank of final regret, ([\d.]+) of (\d+)"
    r"( strategies with all seeds)? \(1 is best\) after (.+)"
)
TESTS = re.compile(r"By Mann-Whitney tests( over (\d+) benchmarks together)? \(Holm's correction, alpha 0.05\), (.+)\.")
NO_TESTS = re.compile(
    r"Its spread is that of|With one|Nothing tells|No test tells|With (\d+|so few) seeds no difference( from \w+)? "
)
BETTER = re.compile(
    rf"(\w+) is significantly better than (.+), and wins {SHARE} of all pairs of runs against (\w+) "
    rf"\((?:95 % interval (\d+) to {SHARE}, )?an equal end counts half\)"
)
UNCLEAR = re.compile(r"(\w+) cannot be told apart from (.+?)(?: \(if .+, about ([\d,]+) seeds would show it\))?")
ALONE = re.compile(
    r"on (\S+) alone it (?:cannot be told apart from (.+?))?(?: and )?(?:is significantly worse than (.+))?"
)
WORSE = re.compile(r"(.+) nevertheless ended lower significantly more often")
JOINED = re.compile(r"Nemenyi's test over mean ranks, which is coarser, does not tell it from (.+)")
TOOK = re.compile(r"([\d,]+)(?: simulated seconds)? \((\w+)\)(?:.*? on (made/\w+))?")


def made(hand: Any, number: int) -> Study:
    """A small study: one to three benchmarks, one to five strategies, missing seeds, ties, runs without an answer."""
    rng = random.Random(number)
    names, strategies = BENCHMARKS[: rng.choice((1, 1, 2, 3))], STRATEGIES[: rng.choice((1, 2, 3, 4, 5, 5))]
    seeds, ties, workers = rng.choice((1, 2, 4, 8, 14)), rng.random() < 0.4, rng.choice((1, 1, 4))
    uneven = rng.random() < 0.5
    runs = []
    for benchmark in names:
        for strategy in strategies:
            good, slow = rng.uniform(0, 0.08), rng.choice((1.0, 1.0, 5.0))
            kept = rng.randint(int(strategy == STRATEGIES[0]), seeds) if uneven and rng.random() < 0.4 else seeds
            ended = rng.choice(("budget", "budget", "budget", "finished"))
            for seed in sorted(rng.sample(range(seeds), kept)):
                final = 0.8 + good + (rng.choice((0.0, 0.01)) if ties else rng.gauss(0, 0.02))
                if rng.random() < 0.04:
                    runs.append(hand.run(strategy, seed, [], benchmark, trials=0, seconds=0.0))
                    continue
                seconds = slow * rng.choice((900.0, 1000.0))
                points = [(50.0, 1, 0.5, None), (500.0, 10, min(final, 0.95), None)]
                runs.append(hand.run(strategy, seed, points, benchmark, seconds=seconds, stopped=ended))
    about = [hand.facts(name, best=rng.choice((0.95, None))) for name in dict.fromkeys(run.benchmark for run in runs)]
    settings = {"seeds": seeds, "workers": workers, "budget": "20q", "folder": f"study{number}"}
    study: Study = hand.study(runs, about=about, planned=len(runs) + rng.choice((0, 0, 3)), **settings)
    return study


def rows(table: Table) -> list[Row]:
    """A table as its Markdown says it."""
    lines = [line for line in to_markdown(table).splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [dict(zip(cells[0], line, strict=True)) for line in cells[2:]]


def listed(text: str) -> list[str]:
    return re.split(r", | and ", text)


class Reading:
    """The tables of a study, and whatever else is counted from its runs alone."""

    def __init__(self, study: Study) -> None:
        self.analysis = found = Analysis(study)
        self.results = {
            p.name: {r["strategy"].split(" ")[0]: r for r in rows(results_table(found, p))} for p in found.parts
        }
        self.pairs: dict[str | None, list[Row]] = {p.name: rows(pairs_table(found, p)) for p in found.parts}
        self.pairs[None] = rows(pairs_table(found, None)) if len(found.parts) > 1 else self.pairs[found.parts[0].name]
        self.ranks = {row["strategy"]: float(row["mean rank"]) for row in rows(ranks_table(found))}
        notes = " ".join(ranks_table(found).notes)
        self.critical = [float(x) for x in re.findall(r"critical difference at alpha 0.05: ([\d.]+) ranks", notes)]
        self.seeds = {name: {s: {r.seed for r in study.of(name, s)} for s in study.strategies} for name in self.results}
        self.all = {name: set().union(*of.values()) for name, of in self.seeds.items()}
        full = {name: [s for s in of if of[s] == self.all[name]] for name, of in self.seeds.items()}
        self.over = [name for name in full if len(full[name]) > 1]
        self.entrants = [s for s in study.strategies if all(s in full[name] for name in self.over)]
        self.uneven = not self.over or len(self.entrants) < 2
        if self.uneven:
            self.entrants = study.strategies
            self.over = [name for name, of in self.seeds.items() if all(of.values())]
            self.uneven = any(seeds and seeds != self.all[n] for n, of in self.seeds.items() for seeds in of.values())
        self.left_out = [s for s in study.strategies if s not in self.entrants]

    def pair(self, where: str | None, one: str, other: str) -> Row | None:
        return next((r for r in self.pairs[where] if set(r["pair"].split(", ")) == {one, other}), None)

    def better(self, where: str | None, one: str, other: str) -> str | None:
        """The significantly better one: by the p-value that is printed, and the side that the table names."""
        row = self.pair(where, one, other)
        if row is None or row["p (Holm)"] == "–":
            return None
        significant = row["p (Holm)"] == "<0.0001" or float(row["p (Holm)"]) <= 0.05
        assert significant == (row["better"] not in ("≈", "not tested")), row
        return row["better"].strip("*") if significant else None

    def share(self, where: str | None, one: str, other: str) -> tuple[float, list[float]]:
        """How likely a run of one ends better, percent, with its limits."""
        row = self.pair(where, one, other)
        assert row is not None
        value, *limits = [float(x) for x in re.findall(r"[\d.]+", row["P(first ends better) in % [95 %]"])]
        first = row["pair"].startswith(f"{one},")
        return (value, limits) if first else (100 - value, [100 - x for x in reversed(limits)])

    def regret(self, name: str, strategy: str) -> float:
        return float(
            self.cell(name, strategy).strip("*").split(" ")[0].strip("*").replace("–", "inf").replace("∞", "inf")
        )

    def cell(self, name: str, strategy: str) -> str:
        return self.results[name][strategy]["IQM regret [95 %]"]


def near(said: str, value: float) -> bool:  # two decimals or digits, beside a table's three decimals
    return abs(float(said.replace(",", "")) - value) <= 0.0056 + 0.006 * abs(value)


def check_shown(read: Reading, text: str) -> None:
    """The first sentence: who leads."""
    head, *tails = text.rstrip(".").split("; ")
    one = len(read.results) == 1
    if found := LOWEST.fullmatch(head):
        name, count, seeds, names, said = found.groups()[:5]
        assert one and bool(count) == bool(read.left_out)
        assert count is None or (int(count), int(seeds)) == (len(read.entrants), len(read.all[name]))
        answered = {s: read.regret(name, s) for s in read.entrants if s in read.results[name]}
        lowest = min(answered.values())
        assert all(answered[s] == lowest for s in listed(names)) and near(said, lowest)
        kept = read.results[name][listed(names)[0]]["seeds"].split(" of ")
        assert ("one seed" if kept[0] == "1" else f"of {kept[0]} seeds") in found[6]
        assert ("without an answer" in found[6]) == (len(kept) > 1)
        for tail in (t for t in tails if "ends with" in t):
            other, said = tail.split(" ends with ")
            assert near(said, read.regret(name, other))
            assert other not in read.left_out or float(said) <= lowest + 0.005
        silent = [s for s in read.left_out if s in read.results[name] and f"{s} ends" not in text]
        assert not [s for s in silent if read.regret(name, s) < lowest - 0.001]
    elif found := RANKED.fullmatch(head):
        fewer, count, names, said, of, left = found.groups()[:6]
        assert (int(count), int(fewer or count)) == (len(read.results), len(read.over))
        assert set(read.ranks) == set(read.entrants) and int(of) == len(read.ranks)
        assert bool(left) == bool(read.left_out)
        best = min(read.ranks.values())
        assert {s for s, rank in read.ranks.items() if rank == best} >= set(listed(names)) and float(said) == best
        assert all(t.split(" has ")[1] == f"{read.ranks[t.split(' has ')[0]]:.2f}" for t in tails if " has " in t)
    elif "nothing is compared with it" in text:
        assert len(read.analysis.strategies) == 1
    elif "all runs of all strategies end with the same" in text:
        shares = [read.share(n, *row["pair"].split(", "))[0] for n in read.results for row in read.pairs[n]]
        assert shares and set(shares) == {50.0}
    else:
        assert "give no common ranking" in text and not read.ranks, text
    for tail in (t for t in tails if " workers that took " in t):
        for said, who, where in TOOK.findall(tail):
            columns = [read.results[n] for n in ([where] if where else read.results)]
            assert any(of[who]["simulated seconds"] == said for of in columns if who in of), tail


def check_sure(read: Reading, text: str) -> None:
    """The second sentence: what the tests say."""
    if (found := TESTS.fullmatch(text)) is None:
        assert NO_TESTS.match(text), text
        of = re.search(r"difference from (\w+)", text)
        assert not [p for p in read.pairs[None] if p["better"][0] == "*" and (not of or of[1] in p["pair"])], text
        return
    assert int(found[2] or 1) == max(1, len(read.over))
    said: dict[str, list[str]] = {"better": [], "unclear": [], "worse": []}
    alone: dict[str, set[str]] = {name: set() for name in read.over}
    joined: set[str] = set()
    best = found[3].split(" ")[0] if " nevertheless " not in found[3].split("; ")[0] else ""
    for clause in found[3].split("; "):
        if m := BETTER.fullmatch(clause):
            every = "every other strategy with all seeds" if read.left_out else "every other strategy"
            said["better"] = [s for s in read.entrants if s != best] if m[2] == every else listed(m[2])
            value, limits = read.share(None, best, m[4])
            assert abs(int(m[3]) - value) <= 0.56 and len(limits) == 2 * (m[5] is not None)
            assert all(abs(int(a) - b) <= 1.01 for a, b in zip(m.groups()[4:], limits, strict=False))
        elif m := UNCLEAR.fullmatch(clause):
            said["unclear"] = listed(m[2])
            needed = [(read.pair(None, best, s) or {}).get("seeds to show it") for s in said["unclear"]]
            there = 0 if read.uneven else len(read.all[read.over[0]])
            assert m[3] is None or (m[3] in needed and int(m[3].replace(",", "")) > there)
        elif m := WORSE.fullmatch(clause):
            said["worse"] = listed(m[1])
        elif m := ALONE.fullmatch(clause):
            alone[m[1]] |= {*listed(m[2] or m[3]), *(listed(m[3]) if m[3] else [])}
            assert all(read.better(m[1], best, s) == s for s in (listed(m[3]) if m[3] else []))
        elif m := JOINED.fullmatch(clause):
            joined = set(listed(m[1]))
        else:
            assert clause == "on each of them alone too", clause
    verdicts = {s: read.better(None, best, s) for s in read.entrants if s != best}
    assert {s for s, v in verdicts.items() if v == best} == set(said["better"])
    assert {s for s, v in verdicts.items() if v is None} == set(said["unclear"])
    assert {s for s, v in verdicts.items() if v == s} == set(said["worse"])
    if len(read.over) > 1:
        for name in read.over:
            assert alone[name] == {s for s in said["better"] if read.better(name, best, s) != best}, (name, text)
    for s in said["better"] if read.critical else []:
        apart = abs(read.ranks[s] - read.ranks[best]) - read.critical[0]
        assert abs(apart) < 0.02 or (apart < 0) == (s in joined), (s, text)


def check_mind(read: Reading, text: str) -> None:
    """The third sentence: who is left out and what is missing; and the list of what the study cannot tell."""
    left = re.findall(r"(\w+) \((none|\d+) of (\d+) seeds on (made/\w+)\)", text)
    assert [s for s, *_ in left] == read.left_out
    for s, count, of, name in left:
        assert (len(read.seeds[name][s]), len(read.all[name])) == (int(count.replace("none", "0")), int(of))
    assert ("seeds differ: ranks are over" in text) == (read.uneven and not read.analysis.comparison.all_equal)
    limits = " ".join(read.analysis.limits)
    columns = [name for name, of in read.results.items() if any("IQM at" in c for row in of.values() for c in row)]
    said = re.findall(r"at equal simulated time does not \((.+?)\)", limits)
    assert not said or said == [", ".join(columns)]
    assert ("Budgets differ" in limits) == ("budgets differ" in text)


def check_tables(read: Reading) -> None:
    """Marks, bold numbers, ranks and bars say what the tests say."""
    found = read.analysis
    for part in found.parts:
        pairs = [row["pair"].split(", ") for row in read.pairs[part.name] if row["better"] != "not tested"]
        tested = {s for pair in pairs for s in pair} or set(part.strategies)
        of = {s: read.regret(part.name, s) for s in tested if read.regret(part.name, s) < float("inf")}
        strong = {s for s in read.results[part.name] if read.cell(part.name, s).startswith("**")}
        leading = {s for s in of if of[s] == min(of.values())} & strong
        assert strong <= tested and bool(leading) == bool(of)
        assert not of or any(
            strong == {s for s in of if read.better(part.name, s, one) in (s, None)} | {one} for one in leading
        )
        for s, row in read.results[part.name].items():
            mark = row.get("vs random_search [%]", "–")[0]
            verdict = read.better(part.name, s, "random_search")
            assert {"▲": s, "▼": "random_search"}.get(mark) == verdict
    finals = {part.name: part.final_regrets() for part in found.parts}
    common = {n: set.intersection(*(read.seeds[n][s] for s in read.entrants)) for n in read.over}
    blocks = [[finals[n][s][seed] for s in read.entrants] for n in read.over for seed in sorted(common[n])]
    if blocks:
        mean = rankdata([[round(x, 9) for x in block] for block in blocks], axis=1).mean(axis=0)
        assert [read.ranks[s] for s in read.entrants] == pytest.approx(mean.tolist(), abs=0.0051)
    diagram = diagram_of(found.comparison).value
    for bar in diagram.holm if diagram is not None else []:
        ends = [[s for s in read.ranks if read.ranks[s] == round(rank, 2)] for rank in (bar.start, bar.end)]
        assert any(read.better(None, one, other) is None for one in ends[0] for other in ends[1] if one != other)
    for row in rows(wins_table(found, None)):
        apart = {s for s in row if "*" in row[s]}
        assert apart == {s for s in found.strategies if read.better(None, row["row against column"], s)}


@pytest.mark.parametrize(
    "numbers", [range(20), pytest.param(range(20, 200), marks=pytest.mark.slow)], ids=["20 studies", "180 studies"]
)
def test_every_sentence_follows_from_the_tables(hand: Any, numbers: range, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analysis_module, "RESAMPLES", 100)
    for number in numbers:
        study = made(hand, number)
        try:
            check(study)
        except AssertionError as error:
            raise AssertionError(f"study {number}: {Analysis(study).sentences}") from error
        study.close()


def check(study: Study) -> None:
    """All sentences, marks and ranks of a study against its tables."""
    read = Reading(study)
    shown, sure, mind = read.analysis.sentences
    if shown.startswith("No run of this study has an answer"):
        assert not any(run.curve for run in study.runs)
        return
    check_shown(read, shown)
    check_sure(read, sure)
    check_mind(read, mind)
    check_tables(read)
