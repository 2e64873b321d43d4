"""Strategies and benchmarks in files of a user's own: ``mine.py``, ``mine.py:name``, ``mine.py/task``.

Such a file is run, so only what a user types comes here: `nassim.registry`, which looks up the names of studies and
reports, knows no files. Workers are sent path, hash and name, never a function, and load the file themselves.
"""

from __future__ import annotations

import hashlib
import inspect
import re
import sys
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from nassim.benchmark import Benchmark, Noise
from nassim.errors import InvalidSetting, MissingData, UnknownName
from nassim.names import unknown
from nassim.options import open_with, options_of
from nassim.registry import algorithm_names, benchmark_names, get_algorithm, get_algorithms, get_benchmark
from nassim.strategy import PASSED, Algorithm

LARGEST = 1 << 20  # bytes of a file
_STRATEGY = re.compile(r"(?P<path>.*\.py)(?::(?P<name>[^:/\\]*))?", re.DOTALL)
_BENCHMARK = re.compile(r"(?P<path>.*\.py)(?:/(?P<task>[^/]*))?", re.DOTALL)
_HOW = "docs/own-strategy.md and `nassim new strategy NAME` show how one is written"


class OwnFile(NamedTuple):
    """What a worker is told of a strategy or benchmark in a file; ``name``: the strategy's, or the benchmark's task."""

    path: str
    sha256: str
    name: str

    def strategy(self) -> Algorithm:
        """The strategy; `InvalidSetting` if the file is another one by now."""
        return _strategies(_loaded(self.path, self.sha256))[self.name]

    def benchmark(self, noise: str | Noise) -> Benchmark:
        """The benchmark; `InvalidSetting` if the file is another one by now."""
        task, options = options_of(self.name)
        module = _loaded(self.path, self.sha256)
        name = f"{_shown(self.path)}/{task}"
        supernets = getattr(module, "supernets", None)
        found = open_with(module.load, task, noise, name, supernets and supernets(task), **options)
        if not isinstance(found, Benchmark):
            raise InvalidSetting(f"{name}: load gives a {type(found).__name__} and no nassim.Benchmark.")
        if options_of(found.name)[0] in benchmark_names():
            raise InvalidSetting(f"{name} calls itself {found.name}, which is one of nassim's: choose another name.")
        return found


@dataclass(frozen=True)
class OwnAlgorithm(Algorithm):
    """A strategy of a file. Where its name is a registered one's too, it is called after the file as well."""

    path: str = ""
    sha256: str = ""
    told_apart: bool = False

    @property
    def name(self) -> str:
        """The function's name; ``mine.py:name`` where that is told apart from another one's."""
        plain = self.function.__name__
        return f"{Path(self.path).name}:{plain}" if self.told_apart else plain

    @property
    def source(self) -> OwnFile:
        """What a worker is told of it, its settings apart."""
        return OwnFile(self.path, self.sha256, self.function.__name__)


def typed_algorithms(text: str) -> list[Algorithm]:
    """The strategies that a user names: registered ones, or those of a file; with settings as in `get_algorithms`."""
    return get_algorithms(text, _typed)


def typed_algorithm(text: str) -> Algorithm:
    """The one strategy that a user names."""
    found = typed_algorithms(text)
    if len(found) > 1:
        raise InvalidSetting(f"{text!r:.100} means {len(found)} strategies: one is wanted here.")
    return found[0]


def typed_place(text: str) -> str | OwnFile:
    """The benchmark that a user names: the id of a registered one as it is, or a task of a file."""
    match = _BENCHMARK.fullmatch(options_of(text)[0])
    if match is None:
        return text
    path, sha256 = _found(match["path"])
    module, shown = _loaded(path, sha256), _shown(path)
    tasks = getattr(module, "TASKS", ())
    lacks = [name for name in ("TASKS", "load") if not hasattr(module, name)]
    if lacks or not tasks or not all(isinstance(task, str) for task in tasks):
        what = f"it has no {' and no '.join(lacks)}" if lacks else "its TASKS are no names"
        raise InvalidSetting(f"{shown} is no benchmark: {what}. `nassim new benchmark NAME` writes one to start from.")
    task = match["task"]
    if not task:
        if len(tasks) > 1:
            raise InvalidSetting(f"{shown} has several tasks: {', '.join(tasks)}. Write {shown}/{tasks[0]}.")
        task = tasks[0]
    if task not in tasks:
        raise UnknownName(unknown(f"task of {shown}", task, tasks))
    return OwnFile(path, sha256, task + "".join(f":{name}={value}" for name, value in options_of(text)[1].items()))


def typed_benchmark(text: str, noise: str | Noise = "draw") -> Benchmark:
    """Open the benchmark that a user names."""
    place = typed_place(text)
    return get_benchmark(place, noise) if isinstance(place, str) else place.benchmark(noise)


def by_file(algorithms: Sequence[Algorithm]) -> list[Algorithm]:
    """Where files have strategies of one name, those are called after their file too."""
    named = [(a.function.__name__, a.function) for a in algorithms]
    found: list[Algorithm] = []
    for each, (name, function) in zip(algorithms, named, strict=True):
        twice = any(name == other and function is not theirs for other, theirs in named)
        if isinstance(each, OwnAlgorithm) and twice and not each.told_apart:
            label = f"{Path(each.path).name}:{each.label}" if each.label else ""
            found.append(replace(each, told_apart=True, label=label))
        else:
            found.append(each)
    return found


def recorded_files(
    algorithms: Sequence[Algorithm], benchmarks: Mapping[str, object]
) -> dict[str, dict[str, dict[str, str]]]:
    """What a study's settings say of the files that it was made with: of each its name and hash, never its place.

    Nothing where there are none, as in studies of old.
    """
    used = {each.title: each.source for each in algorithms if isinstance(each, OwnAlgorithm)}
    used |= {name: place for name, place in benchmarks.items() if isinstance(place, OwnFile)}
    files = {name: {"file": Path(source.path).name, "sha256": source.sha256} for name, source in used.items()}
    return {"files": files} if files else {}


def is_file(text: str) -> bool:
    """Whether a name means a file: ``mine.py``, ``mine.py:name[setting=value]``, ``mine.py/task``."""
    return re.fullmatch(r".*\.py(?:[:/\[][^/\\]*)?", text.strip(), re.DOTALL) is not None


def _typed(name: str) -> Algorithm:
    match = _STRATEGY.fullmatch(name)
    if match is not None:
        return _own_strategy(match["path"], match["name"])
    try:
        return get_algorithm(name)
    except UnknownName:
        if len(name) < 200 and Path(f"{name}.py").is_file():
            raise UnknownName(f"{name!r} is not an algorithm. If the file is meant, write {name}.py.") from None
        raise


def _own_strategy(typed: str, name: str | None) -> Algorithm:
    path, sha256 = _found(typed)
    module, shown = _loaded(path, sha256), _shown(path)
    known = _strategies(module)
    if not known:
        functions = [v for v in vars(module).values() if inspect.isgeneratorfunction(v)]
        own = [f.__name__ for f in functions if f.__module__ == module.__name__]
        hint = f"write @strategy(family=..., year=...) above def {own[0]}" if own else _HOW
        raise InvalidSetting(f"{shown} has no strategy: {hint}.")
    if name is None and len(known) == 1:
        (name,) = known
    if not name:
        several = f"has {len(known)} strategies, {', '.join(known)}" if len(known) > 1 else "is followed by no name"
        raise InvalidSetting(f"{shown} {several}: write {shown}:{next(iter(known))}.")
    if name not in known:
        raise UnknownName(unknown(f"strategy of {shown}", name, known))
    found = known[name]
    _check_signature(found, shown)
    taken = {alias for each in algorithm_names() for alias in (each, *get_algorithm(each).aliases)}
    parts = {field.name: getattr(found, field.name) for field in fields(Algorithm)}
    parts["aliases"] = tuple(alias for alias in found.aliases if alias not in taken)
    return OwnAlgorithm(**parts, path=path, sha256=sha256, told_apart=name in taken)


def _check_signature(algorithm: Algorithm, shown: str) -> None:
    """Say of a hyperparameter what it lacks."""
    place = f"{shown}, line {algorithm.function.__code__.co_firstlineno}: {algorithm.name}"
    for name, parameter in inspect.signature(algorithm.function).parameters.items():
        untyped = parameter.kind is inspect.Parameter.KEYWORD_ONLY and parameter.annotation is inspect.Parameter.empty
        if untyped and name not in PASSED:
            raise InvalidSetting(f"{place}: the hyperparameter {name} has no type: write {name}: int = 1.")
    try:
        parameters = algorithm.parameters
    except Exception as error:  # whatever an annotation evaluates to
        raise InvalidSetting(f"{place}: its annotations cannot be read: {_said(error)}.") from error
    for name, known in parameters.items():
        if known.default is inspect.Parameter.empty:
            raise InvalidSetting(f"{place}: the hyperparameter {name} has no default: write {name}: int = 1.")


def _strategies(module: ModuleType) -> dict[str, Algorithm]:
    """The strategies that a module defines, by name; of those of one name the one that stands under it."""
    found: dict[str, Algorithm] = {}
    for key, value in vars(module).items():
        own = isinstance(value, Algorithm) and value.function.__module__ == module.__name__
        if own and (key == value.name or value.name not in found):
            found[value.name] = value
    return found


def _found(typed: str) -> tuple[str, str]:
    """Absolute path and sha256 of a file that a user names."""
    path = None
    with suppress(OSError, RuntimeError, ValueError):  # no home folder, a name that no file can have
        path = Path(typed).expanduser().resolve(strict=True)
    if path is None:
        raise MissingData(f"there is no file {typed!r:.200} (the current folder is {Path.cwd()}).")
    return str(path), hashlib.sha256(_content(path)).hexdigest()


def _content(path: Path) -> bytes:
    if not path.is_file():
        raise InvalidSetting(f"{_shown(str(path))} is no file.")
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise MissingData(f"{_shown(str(path))} cannot be read: {error.strerror}.") from error
    if len(content) > LARGEST:
        raise InvalidSetting(f"{_shown(str(path))} has more than {LARGEST:,} bytes: no strategy is so long.")
    return content


@lru_cache(maxsize=64)
def _loaded(path: str, sha256: str) -> ModuleType:
    """The module of a file, run once in a process; `InvalidSetting` with its place for whatever it raises."""
    content, shown = _content(Path(path)), _shown(path)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise InvalidSetting(f"{shown} has changed since this study was started: give the command again.")
    digest = hashlib.sha256(f"{path}\0{sha256}".encode("utf-8", "surrogatepass")).hexdigest()
    name = f"{re.sub(r'[^A-Za-z0-9_]', '_', Path(path).stem)}_{digest[:16]}"
    module = sys.modules[name] = ModuleType(name)  # there while it is run: dataclasses look for it
    module.__file__ = path
    try:
        exec(compile(content, path, "exec", dont_inherit=True), vars(module))
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise InvalidSetting(f"{_place(error, path, shown)}: {_said(error)}.{_beside(error, path)}") from error
    return module


def _place(error: BaseException, path: str, shown: str) -> str:
    if isinstance(error, SyntaxError) and error.filename == path and error.lineno:
        return f"{shown}, line {error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    return f"{shown}, line {lines[-1]}" if lines else shown


def _said(error: BaseException) -> str:
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return " ".join(f"{type(error).__name__}: {text}".split())[:200].rstrip(".: ")


def _beside(error: BaseException, path: str) -> str:
    """What to do where a module was looked for that lies beside the file."""
    wanted = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    folder = Path(path).parent
    if wanted and ((folder / f"{wanted}.py").exists() or (folder / wanted).is_dir()):
        return " A file of your own stands alone; docs/plug-in.md says how several become a package."
    return ""


def _shown(path: str) -> str:
    """A path as short as it is clear from the current folder."""
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except ValueError:
        return path
