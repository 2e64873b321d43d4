"""Writing the figures and tables for a paper, with a caption for each figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from nassim.files import file_name, put_in_place
from nassim.paper.anytime import anytime_paper
from nassim.paper.choice import Choice
from nassim.paper.finals import Finals, finals_of, intervals_paper, profiles_paper
from nassim.paper.front import ANSWERS, front_paper, fronts_of
from nassim.paper.looks import check_font, paper_style
from nassim.paper.targets import target_records, target_table
from nassim.plots import save
from nassim.report.runs import AXES, Part
from nassim.report.table import Table, to_latex, to_markdown
from nassim.study import Study
from nassim.summary import write_csv

FORMATS = ("pdf", "png", "svg")
DPI = 300
FOLDER = "paper"
FRONTS = (
    "Mean values over repeats after a full training. Broad grey line: the true front of the table; dots: what any run "
    "trained, networks that guess left out; lines: what half of the runs of a strategy attain (all that they trained); "
    f"marks: final answers, at most {ANSWERS} of a strategy, of evenly spread cost; dotted: the constraint's limit."
)


def write_paper(study: Study, folder: Path, choice: Choice) -> list[Path]:
    """Write figures (PDF, PNG, SVG), tables (CSV, LaTeX, Markdown) and captions into ``folder/paper``."""
    chosen = [Part(study, name) for name in study.benchmarks]
    parts = [part for part in chosen if any(strategy in part.runs for strategy in choice.names)]
    check_font([*choice.names.values(), *(part.name for part in parts)])
    finals = finals_of(parts, choice)
    written: list[Path] = []
    with paper_style():
        for name, figure in figures_of(parts, choice, finals.value).items():
            written += save(figure, folder / FOLDER / name, FORMATS, dpi=DPI)
        fronts = fronts_of(study)
        if fronts:
            written += save(front_paper(fronts, choice), folder / FOLDER / "fronts", FORMATS, dpi=DPI)
    written.append(write_csv(folder / FOLDER / "targets.csv", list(target_records(parts, choice))))
    for part in parts:
        tables = [target_table(part, choice, axis) for axis in AXES]
        forms = {"md": to_markdown, "tex": to_latex}
        for suffix, form in forms.items():
            text = "\n".join(form(table) for table in tables if _there(table))
            written.append(_write(folder / FOLDER / f"targets-{file_name(part.name)}.{suffix}", text))
    texts = captions_of(parts, finals.value, finals.reason) | ({"fronts": FRONTS} if fronts else {})
    captions = "\n\n".join(f"{name}: {text}" for name, text in texts.items())
    return [*written, _write(folder / FOLDER / "captions.txt", f"{captions}\n")]


def figures_of(parts: Sequence[Part], choice: Choice, finals: Finals | None) -> dict[str, Figure]:
    """Every figure under the name of its file; of several benchmarks one together, and one each."""
    found = {"anytime": anytime_paper(parts, choice)}
    if len(parts) > 1:
        found |= {f"anytime-{file_name(part.name)}": anytime_paper([part], choice) for part in parts}
    if finals is not None:
        found["intervals"] = intervals_paper(finals, choice)
        found["profiles"] = profiles_paper(finals, choice)
    return found


def captions_of(parts: Sequence[Part], finals: Finals | None, reason: str) -> dict[str, str]:
    """What each figure shows, in sentences that a caption may begin with."""
    seeds = sorted({len(runs) for part in parts for runs in part.runs.values()})
    several = f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    floors = ", ".join(dict.fromkeys(f"{part.floor:g} {part.metric.regret_unit}".rstrip() for part in parts))
    unknown = [part.name for part in parts if part.split in part.references and not part.references[part.split].known]
    from_found = f" On {', '.join(unknown)} regret is from the best that the study found." if unknown else ""
    synthetic = [part.name for part in parts if part.facts.synthetic]
    from_found += " pp: percentage points." if any(part.metric.regret_unit == "pp" for part in parts) else ""
    bound = next((part.facts.constraint for part in parts), "")
    from_found += f" Answers keep to {bound}, and regret is from the best that does." if bound else ""
    from_found += f" Synthetic: {', '.join(synthetic)}." if synthetic else ""
    for part in parts:
        from_found += f" {part.name}: surrogate ({part.facts.surrogate})." if part.facts.surrogate else ""
    found = {
        "anytime": f"Median regret of the incumbent over {several} seeds against {parts[0].clock.words} "
        f"({parts[0].workers} worker{'s' * (parts[0].workers != 1)}); bars at the marks are quartiles. Regret up to "
        f"{floors} counts as none and is drawn at the label ≤.{from_found}"
    }
    if finals is None:
        return {**found, "intervals, profiles": f"not drawn: {reason}"}
    scale = f"Final {finals.label}"
    if len(parts) > 1:
        scale = f"Final regret divided by the mean final regret of random search, on {', '.join(finals.benchmarks)}"
    left_out = "".join(f" {name} is left out: {why}." for name, why in finals.left_out.items())
    gap = (
        ""
        if finals.target != finals.target
        # NaN
        else (f" The optimality gap is the mean of what lies above {finals.target:.3g}, half of random search's mean.")
    )
    without = sum(int((~(x < float("inf"))).sum()) for runs in finals.runs.values() for x in runs)
    open_ends = f" {without} runs have no answer and count as infinite." if without else ""
    bootstrap = "stratified bootstrap intervals of 95 % (percentile method)"
    found["intervals"] = (
        f"{scale}: mean, median, interquartile mean (IQM) and optimality gap over {several} seeds with {bootstrap}; "
        f"less is better.{gap}{open_ends}{left_out}{from_found}"
    )
    found["profiles"] = (
        f"{scale}: the share of runs that end at or below it; bars at the marks are {bootstrap}, pointwise."
        f"{open_ends}{left_out}{from_found}"
    )
    return found


def _there(table: Table) -> bool:
    return bool(table.rows)


def _write(path: Path, text: str) -> Path:
    with put_in_place(path) as file:
        file.write(text.encode())
    return path
