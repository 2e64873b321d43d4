"""A study as one looks at it from Python: a few lines, its curves run by run as a data frame, its page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nassim.errors import InvalidSetting
from nassim.facts import Facts
from nassim.store import RunEnd

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

    from nassim.study import Study

MOST = 6  # benchmarks with a line of their own
WIDTH = 120  # characters of a line, unless a single name needs more
_SPLITS = ("valid", "test")


def lines(study: Study) -> str:
    """What was compared, on what, how often, and which strategy is the best by validation there."""
    settings = study.settings
    where = f"in {study.folder}" if study.folder is not None else "in memory"
    head = (
        f"Study of {_counted(len(study.strategies), 'strateg', 'y', 'ies')} on "
        f"{_counted(len(study.benchmarks), 'benchmark')}: {_counted(settings['seeds'], 'seed')}, "
        f"budget {_clean(settings['budget'])}, {_counted(settings['workers'], 'worker')}; "
        f"{len(study.runs)} of {settings['runs']} runs, {where}"
    )
    shown = [_best(study, name) for name in study.benchmarks[:MOST]]
    rest = len(study.benchmarks) - MOST
    more = [f"  ... and {_counted(rest, 'more benchmark')}"] if rest > 0 else []
    return "\n".join([head, _fitting("  strategies: ", study.strategies), *shown, *more])


def _best(study: Study, benchmark: str) -> str:
    """The best strategy on a benchmark: the mean over seeds of what its final incumbents reach in validation."""
    facts = study.facts[benchmark]
    metric = facts.metric
    found: dict[str, tuple[float, int, int]] = {}
    for strategy in study.strategies:
        runs = study.of(benchmark, strategy)
        ends = [run.curve[-1].valid for run in runs if run.curve]
        known = [metric.shown(value) for value in ends if value is not None]
        if known:
            found[strategy] = (sum(known) / len(known), len(known), len(runs))
    name = f"  {_clean(benchmark)}{_clean(facts.remark)}"
    if not found:
        answered = any(run.curve for run in study.runs if run.benchmark == benchmark)
        return f"{name}: {'no validation ' + metric.name + ' is known' if answered else 'no answer within the budget'}"
    pick = max if metric.more_is_better else min
    top = pick(mean for mean, _, _ in found.values())
    best = [strategy for strategy, (mean, _, _) in found.items() if mean == top]
    _, known_runs, all_runs = found[best[0]]
    seeds = _counted(all_runs, "seed") if known_runs == all_runs else f"{known_runs} of {all_runs} seeds"
    text = f"{metric.text(top)} {metric.shown_unit}".rstrip()
    return _fitting(f"{name}: best mean {metric.title('valid')} {text} ({seeds}): ", best)


def _counted(count: int, noun: str, one: str = "", many: str = "s") -> str:
    return f"{count:,} {noun}{one if count == 1 else many}"


def _clean(name: str) -> str:
    """A name as it may be printed: it can come from a file of anybody's."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in name[:81])
    return shown if len(shown) <= 80 else shown[:77] + "..."


def _fitting(begun: str, names: Sequence[str]) -> str:
    """A line with as many of the names as fit, and how many more there are."""
    names = [_clean(name) for name in names]
    for shown in range(len(names), 1, -1):
        more = f", ... and {len(names) - shown} more" if shown < len(names) else ""
        line = begun + ", ".join(names[:shown]) + more
        if len(line) <= WIDTH:
            return line
    return begun + names[0] + (f", ... and {len(names) - 1} more" if len(names) > 1 else "")


def curves_frame(study: Study) -> pandas.DataFrame:
    """The incumbents of every run, as `nassim.study.Study.curves` describes them."""
    import pandas

    columns = dict.fromkeys(name for facts in study.facts.values() for name in _columns(facts))
    rows = [row for run in study.runs for row in _rows(study.facts[run.benchmark], run)]
    found: pandas.DataFrame = pandas.DataFrame(rows, columns=[*columns])
    return found


def _columns(facts: Facts) -> list[str]:
    metric = facts.metric
    return [
        *("benchmark", "strategy", "mode", "seed", "queries", "epochs_spent", "cost_unit", "simulated_seconds"),
        *("until_simulated_seconds", "architecture", metric.column(facts.search_split, "observed")),
        *(metric.column(split, "mean_of_repeats") for split in _SPLITS),
        "source",
        *(metric.regret_column(split, "regret") for split in _SPLITS),
    ]


def _rows(facts: Facts, run: RunEnd) -> list[dict[str, object]]:
    metric = facts.metric
    ends = [*(point.seconds for point in run.curve[1:]), run.seconds]
    rows: list[dict[str, object]] = []
    for point, until in zip(run.curve, ends, strict=False):
        means = dict(zip(_SPLITS, (point.valid, point.test), strict=True))
        shown = [None if value is None else metric.shown(value) for value in (point.observed, *means.values())]
        regrets = [
            None if value is None or (best := facts.best(split)) is None else metric.regret_factor * (best - value)
            for split, value in means.items()
        ]
        head = (run.benchmark, run.strategy, run.mode, run.seed, point.queries, point.epochs, facts.cost_unit)
        values = (*head, point.seconds, until, point.architecture, *shown, point.source, *regrets)
        rows.append(dict(zip(_columns(facts), values, strict=True)))
    return rows


def figure_of(study: Study, benchmark: str | None) -> Figure:
    """The anytime figure of one benchmark, or of all side by side; it shows itself in a notebook."""
    from nassim.plots import anytime_figure, panels_figure

    if benchmark is not None and benchmark not in study.benchmarks:
        known = ", ".join(study.benchmarks)
        raise InvalidSetting(f"this study has no benchmark {benchmark!r:.80}: it has {known:.400}.")
    names = study.benchmarks if benchmark is None else [benchmark]
    found = panels_figure(study) if len(names) > 1 else anytime_figure(study, names[0])
    # A figure that pyplot did not make is shown only by a notebook that has loaded pyplot; by this one, by all.
    vars(found)["_repr_png_"] = _Picture(found)
    return found


class _Picture:
    """A figure as PNG, when it is called."""

    def __init__(self, figure: Figure) -> None:
        self.figure = figure

    def __call__(self) -> bytes:
        import io

        held = io.BytesIO()
        self.figure.savefig(held, format="png", dpi=100)
        return held.getvalue()


def report_page(study: Study, folder: str | Path | None, *, figures: bool) -> Path:
    """Write the report into a folder, the study's own unless one is given; the path of its page."""
    from nassim.report.content import content_of
    from nassim.report.write import write_content

    if folder is None and study.folder is None:
        raise InvalidSetting("this study is in memory: say where its report goes, as in study.report('results/mine').")
    to = Path(folder) if folder is not None else study.folder
    assert to is not None
    own = study.folder or to  # what was trained again lies beside the study, and it gives the page its title
    return write_content(content_of(study, own, None, None), to, figures=figures)[0]
