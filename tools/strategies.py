"""Write docs/strategies.md: one table of all strategies.

    python tools/strategies.py              # the page again
    python tools/strategies.py --measure    # first what a run costs and which spaces are refused (some ten minutes)

Names, families, papers, back-ends and recorded searches are read from the code. What was reproduced is written by hand,
in tools/strategies.toml; what was measured lies in tools/strategies_measured.json.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any

import nassim
from nassim.cli.bibtex import papers
from nassim.errors import NassimError
from nassim.page import page as page_of
from nassim.registry import algorithm_names, get_algorithm, get_benchmark, get_space, get_supernets, space_names
from nassim.space import Architecture
from nassim.strategy import Algorithm
from nassim.supernet import configuration
from nassim.testing.problems import Answers
from nassim.trace import FROM_SCRATCH

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "strategies.md"
WRITTEN = Path(__file__).with_name("strategies.toml")
MEASURED = Path(__file__).with_name("strategies_measured.json")
RECORDED = ROOT / "tabular_data" / "recorded"
COSTED, QUERIES, SEEDS = "nasbench201/cifar10", 150, (0, 1, 2)
TRIED, PATIENCE = 30, 10  # queries on every space; processor seconds after which a run that goes on is not refused
MANY = 14  # spaces: more are told by those that are missing

HEAD = """# All strategies

One table, made by `python tools/strategies.py` from the code, from [`tools/strategies.toml`](../tools/strategies.toml)
(what was reproduced, by hand) and from measurements; a test holds it. `nassim show NAME` prints a strategy's page:
pseudocode, departures, hyperparameters. `nassim reproduce --list` has the published results one by one.

- **spaces**: {spaces} search spaces are registered, and those that are refused are named: what does not answer {tried}
  queries there with its default settings. Whoever shares weights needs a supernet, which these spaces have:
  {supernets}.
- **back-ends**: *table* and *surrogate* answer queries, *training* is `SPACE/DATA:training`. *Several epochs*:
  benchmarks with results after fewer epochs than all. *From scratch*: on tables and surrogates nothing can be
  inherited, and the run says so. *Live* trains a supernet now; *recorded* names the images of the searches that come
  with nassim, and their number; benchmarks of other images replay them as *proxy* ([one-shot.md](one-shot.md)).
- **a run costs**: processor seconds of a search with {queries} queries on `{costed}` (mean of seeds
  0 to 2, one thread of {machine}); of recorded searches the device seconds of one search on the images named, the
  mean over all.
- **reproduced**, **not**: what was held against the strategy's own publications, and where it stands. *Nothing held
  against the paper* means what it says.

| strategy | family | paper | spaces | back-ends | a run costs | reproduced | not reproduced, or not told |
|---|---|---|---|---|---|---|---|
"""
NOTHING = "nothing held against the paper"


def page() -> str:
    """The page as it has to be."""
    measured = json.loads(MEASURED.read_text(encoding="utf-8"))
    with WRITTEN.open("rb") as file:
        written = tomllib.load(file)
    head = HEAD.format(
        spaces=len(space_names()),
        tried=TRIED,
        supernets=", ".join(f"`{name}`" for name in with_supernets()),
        queries=QUERIES,
        costed=COSTED,
        machine=measured["machine"],
    )
    return head + "\n".join(row(name, written[name], measured) for name in algorithm_names()) + "\n"


def row(name: str, written: Mapping[str, str], measured: Mapping[str, Any]) -> str:
    """The line of a strategy."""
    algorithm = get_algorithm(name)
    cells = [
        f"`{name}`",
        algorithm.family,
        paper(algorithm),
        "with a supernet" if algorithm.shares_weights else spaces(measured["refused"].get(name, [])),
        back_ends(algorithm),
        cost(algorithm, measured["seconds"]),
        written.get("reproduced", "") or NOTHING,
        written.get("not", "") or "–",
    ]
    if note := written.get("spaces"):
        cells[3] += f"; {note}"
    return f"| {' | '.join(cells)} |"


def paper(algorithm: Algorithm) -> str:
    """The first paper that the page names, short, with its number at arXiv."""
    text = " ".join(page_of(algorithm).sections["Paper"].split())
    first = next(papers(text))
    names = [author.rpartition(" ")[2] for author in first.authors]
    who = names[0] if len(names) == 1 else f"{names[0]} & {names[1]}" if len(names) == 2 else f"{names[0]} et al."
    who = who.replace("& others", "et al.")
    link = f", [{first.eprint}](https://arxiv.org/abs/{first.eprint})" if first.eprint else ""
    return f"{who} {first.year}{link}"


def spaces(refused: list[str]) -> str:
    """Where it runs: by what is missing, or by what is there."""
    there = [name for name in space_names() if name not in refused]
    if not refused:
        return "all"
    if len(there) < MANY:
        return ", ".join(f"`{name}`" for name in there)
    return f"all but {', '.join(f'`{name}`' for name in refused)}"


def with_supernets() -> list[str]:
    """The spaces that have a supernet."""
    found = []
    for name in space_names():
        for data in ("digits", "fashion14", "handbook", "canvas"):
            try:
                get_supernets(f"{name}/{data}")
            except NassimError:
                continue
            found.append(name)
            break
    return found


def back_ends(algorithm: Algorithm) -> str:
    """What can answer a strategy."""
    if algorithm.shares_weights:
        found = [f"{name} ({searches})" for name, (searches, _) in recorded(algorithm.name).items()]
        return f"live supernet; recorded: {', '.join(found)}" if found else "live supernet; nothing recorded"
    if algorithm.chooses_epochs:
        return "table with several epochs, training"
    if inherits(algorithm):
        return "training; table and surrogate from scratch"
    return "table, surrogate, training"


def inherits(algorithm: Algorithm) -> bool:
    """Whether it asks for the weights of others, and is told that there are none."""
    return nassim.run(algorithm, "nasbench201/digits", "60q", seed=0).mode == FROM_SCRATCH


def recorded(name: str) -> dict[str, tuple[int, list[float]]]:
    """Benchmark of the images -> searches that come with nassim in the settings in force there, and seconds of each."""
    found: dict[str, tuple[int, list[float]]] = {}
    algorithm = get_algorithm(name)
    for benchmark in dict.fromkeys(_benchmark(path) for path in sorted(RECORDED.glob(f"*-{name}-????????.json"))):
        supernets = get_supernets(benchmark)
        chosen = algorithm.hyperparameters(get_space(benchmark.partition("/")[0]), supernets.benchmark)
        wanted = configuration(name, chosen, supernets.settings)
        runs = [each.runs for each in supernets.recordings(name, RECORDED) if each.configuration == wanted]
        if runs:
            of = max(runs, key=len)
            found[benchmark] = (len(of), [sum(moment.seconds for moment in run) for run in of.values()])
    return found


def _benchmark(path: Path) -> str:
    return str(json.loads(path.read_text(encoding="utf-8"))["benchmark"])


def cost(algorithm: Algorithm, seconds: Mapping[str, float]) -> str:
    """What a run costs, in words."""
    if not algorithm.shares_weights:
        value = seconds[algorithm.name]
        return f"{value:.2g} s" if value >= 0.01 else f"{1000 * value:.1g} ms"
    found = recorded(algorithm.name)
    said = [f"{sum(all_of) / len(all_of):.0f} s ({name})" for name, (_, all_of) in found.items()]
    return ", ".join(said) or "not measured"


def measure() -> dict[str, Any]:
    """Processor seconds of a run of every strategy, and the spaces that refuse it."""
    names = [name for name in algorithm_names() if not get_algorithm(name).shares_weights]
    seconds = {name: round(seconds_of(name), 5) for name in names}
    refused = {}
    for name in names:
        if found := [space for space in space_names() if refuses(name, space)]:
            refused[name] = found
        sys.stderr.write(f"{name}: {seconds[name]} s, refused {refused.get(name, [])}\n")
    return {"machine": machine(), "nassim": nassim.__version__, "seconds": seconds, "refused": refused}


def seconds_of(name: str) -> float:
    """Mean over the seeds, after a run that loads what is needed."""
    benchmark = get_benchmark(COSTED)
    nassim.run(name, benchmark, "40q", seed=99)
    begun = time.process_time()
    for seed in SEEDS:
        nassim.run(name, benchmark, f"{QUERIES}q", seed=seed)
    return (time.process_time() - begun) / len(SEEDS)


def refuses(name: str, space: str) -> bool:
    """Whether a strategy cannot be run on a space for the first queries, of made-up answers."""

    def accuracy(arch: Architecture) -> float:
        return (sum(arch.choices) % 97) / 97

    def enough(number: int, frame: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGPROF, enough)
    signal.setitimer(signal.ITIMER_PROF, PATIENCE)
    try:
        nassim.run(name, Answers(f"made-up/{space}", get_space(space), accuracy), f"{TRIED}q", seed=0)
    except NassimError as error:
        sys.stderr.write(f"  {name} on {space}: {error}\n")
        return True
    except TimeoutError:
        return False
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    return False


def machine() -> str:
    """What measured."""
    cpu = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.*)", cpu.read_text()) if cpu.exists() else None
    return f"an {' '.join(found[1].split()[:2])}, shared with others" if found else "an unknown machine"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", action="store_true", help="measure costs and refusals first")
    if parser.parse_args().measure:
        MEASURED.write_text(json.dumps(measure(), indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
