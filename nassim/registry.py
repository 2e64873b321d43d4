"""From names to algorithms, benchmarks and spaces. The folders are the registry; nothing is listed twice.

Installed packages add their own by the entry points ``nassim.algorithms`` and ``nassim.benchmarks``,
which name a module that looks like the files in those folders.
"""

from __future__ import annotations

import contextlib
import importlib
import re
from collections.abc import Callable
from functools import partial
from types import ModuleType

from nassim.benchmark import Benchmark, Noise
from nassim.errors import InvalidSetting, UnknownName, Unsupported
from nassim.folders import algorithms_found, family_of, module_at, modules, spaces_of
from nassim.names import spelled, unknown
from nassim.options import open_with, options_of
from nassim.protocol import Protocol
from nassim.recurrent import RecurrentSpace
from nassim.segmentation import SegmentationSpace
from nassim.settings import parse_value
from nassim.space import SearchSpace
from nassim.strategy import Algorithm
from nassim.supernet import Supernets
from nassim.variants import parse_variants

_SOURCES = "nassim.full_training.supernets.sources"
_TRAINING = ":training"  # at the end of an id: the back-end that trains now
_SURROGATE = ":surrogate"  # likewise: predictions, fitted to trainings of the user's own


def algorithm_names() -> list[str]:
    """The names of all strategies."""
    return sorted(modules("algorithms"))


def benchmark_names() -> list[str]:
    """The ids of all benchmarks, ``family/task``."""
    families = [(name, family_of(name)) for name in sorted(modules("benchmarks"))]
    return [f"{getattr(family, 'FAMILY', name)}/{task}" for name, family in families for task in family.TASKS]


def training_spaces() -> list[str]:
    """The SPACEs of ``SPACE/DATA:training``: search spaces whose architectures can be built as networks of images."""
    spaces = map(get_space, space_names())
    built = [each for each in spaces if type(each).network is not SearchSpace.network]
    return [space.name for space in built if not isinstance(space, SegmentationSpace)]


def segmentation_spaces() -> list[str]:
    """The SPACEs of ``SPACE/MASKS:training``: search spaces whose networks give every pixel a class."""
    return [name for name in space_names() if isinstance(get_space(name), SegmentationSpace)]


def recurrent_spaces() -> list[str]:
    """The SPACEs of ``SPACE/TEXT:training``: search spaces whose architectures are cells of language models."""
    return [name for name in space_names() if isinstance(get_space(name), RecurrentSpace)]


def image_names() -> list[str]:
    """The DATA of ``SPACE/DATA:training``: the sets of images, the user's own among them."""
    return list(_loader().image_names())


def mask_names() -> list[str]:
    """The MASKS of ``SPACE/MASKS:training``: the sets of images with masks, the user's own among them."""
    return list(_loader().mask_names())


def text_names() -> list[str]:
    """The TEXT of ``SPACE/TEXT:training``: the texts that are here, the user's own among them."""
    return list(_loader().text_names())


def space_names() -> list[str]:
    """The names of all search spaces."""
    return sorted({space.name for family in modules("benchmarks") for space in spaces_of(family)})


def get_algorithm(name: str) -> Algorithm:
    """The strategy of a name or alias, with near names in the error; ``re[sample_size=10]`` with its settings."""
    found = get_algorithms(name)
    if len(found) > 1:
        raise InvalidSetting(f"{name!r:.100} means {len(found)} strategies: one is wanted here.")
    return found[0]


def get_algorithms(name: str, lookup: Callable[[str], Algorithm] | None = None) -> list[Algorithm]:
    """The strategies of a name with settings: ``re[sample_size=3|10]`` means two.

    ``lookup`` finds one by its name (None: among the registered ones).
    """
    found = []
    for plain, texts in parse_variants(name):
        algorithm = (lookup or _algorithm)(plain)
        parameters = algorithm.parameters
        settings = {
            key: parse_value(parameters[key], text, owner=algorithm.name) if key in parameters else text
            for key, text in texts.items()
        }
        found.append(algorithm.variant(**settings) if settings else algorithm)
    return found


def _algorithm(name: str) -> Algorithm:
    aliases = {alias: algorithm for algorithm in algorithms_found().values() for alias in algorithm.aliases}
    known = {**aliases, **algorithms_found()}
    found = spelled(name.strip().lower(), known)
    if found is None:
        raise UnknownName(unknown("algorithm", name, known))
    return known[found]


def get_benchmark(
    name: str, noise: str | Noise = "draw", *, search_epochs: int | None = None, search_on: str | None = None
) -> Benchmark:
    """Open the benchmark of an id like ``nasbench201/cifar10``, with a noise policy; ``-`` and ``_`` are the same.

    ``SPACE/DATA:training`` trains what is asked for: any space with networks on any set of images.
    search_epochs: what a query that names no epochs is trained for (a protocol's); None: a full training.
    search_on: the split that answers queries, ``valid`` or, where the benchmark allows it, ``test``.

    Both stand at the end of the benchmark's name where they are not the usual ones (``:search_epochs=12``,
    ``:search_on=test``), so that they are printed with every result; an id that ends so asks for them too.
    """
    plain, options = options_of(name)
    options = {"search_epochs": search_epochs, "search_on": search_on, **options}
    load: Callable[..., Benchmark]
    if _TRAINING in plain:
        family, space, task, load = _training(name, plain)
        found = _supernets(family, task, space)
    elif plain.endswith(_SURROGATE):
        family, task, load = _surrogate(plain)
        found = None
    else:
        family, task = _table(name, plain)
        load, found = family_of(family).load, _supernets(family, task)
    return open_with(load, task, noise, plain, found, **options)


def _table(name: str, plain: str) -> tuple[str, str]:
    """Family and task of a benchmark that answers from a table."""
    typed, _, task = plain.partition("/")
    family = spelled(typed, modules("benchmarks"))
    found = None if family is None else spelled(task, family_of(family).TASKS)
    if family is not None and found is not None:
        return family, found
    if family is not None and not family_of(family).TASKS and spaces_of(family):
        raise UnknownName(
            f"{name!r} is not a benchmark: {family} is a search space, of which there is no table. "
            f"{family}/DATA{_TRAINING} trains its architectures on the images DATA."
        )
    raise UnknownName(unknown("benchmark", name, benchmark_names()))


def _training(name: str, plain: str) -> tuple[str, str, str, Callable[..., Benchmark]]:
    """The family of a space, the space, the set of images, and what opens a benchmark that trains one on the other."""
    plain, _, rest = plain.partition(_TRAINING)
    typed, _, data = plain.partition("/")
    if rest:
        raise UnknownName(f"{name!r:.100} is not a benchmark: nothing follows {_TRAINING} but options.")
    if spelled(typed, space_names()) is None:
        raise UnknownName(
            unknown("search space", typed, [*training_spaces(), *recurrent_spaces(), *segmentation_spaces()])
        )
    space = get_space(typed)
    if (images := spelled(data, names := _loader().data_names(space))) is None:
        kind = "set of images with masks" if isinstance(space, SegmentationSpace) else "set of images"
        raise UnknownName(unknown("text" if isinstance(space, RecurrentSpace) else kind, data, names))
    homes = [family for family in modules("benchmarks") if space.name in {each.name for each in spaces_of(family)}]
    home = family_of(family := space.name if space.name in homes else homes[0])
    paper = re.search(r"^Paper: (.*?)\.?$", (home.__doc__ or "").replace("\n    ", " "), flags=re.MULTILINE)
    notes = getattr(home, "TRAINING_NOTES", {}).get(images, ())
    about = {"paper": paper[1] if paper else "none", "notes": notes}

    def load(task: str, noise: Noise) -> Benchmark:
        opened: Benchmark = _loader().load_training(space, task, noise, **about)
        return opened

    return family, space.name, images, load


def _surrogate(plain: str) -> tuple[str, str, Callable[..., Benchmark]]:
    """The family of a space, the data, and what opens the surrogate that `nassim data build --fit` made."""
    typed, _, task = plain.removesuffix(_SURROGATE).partition("/")
    space = get_space(typed)
    home = next(f for f in modules("benchmarks") if space.name in {each.name for each in spaces_of(f)})
    load: Callable[..., Benchmark] = importlib.import_module("nassim.tabular_data.predicted").load
    return home, task, partial(load, space)


def _loader() -> ModuleType:
    """What makes the benchmarks that train; it loads torch when it trains."""
    return importlib.import_module("nassim.full_training.training.loader")


def get_supernets(name: str) -> Supernets:
    """Where a benchmark's one-shot runs come from; opens no table. `Unsupported` where it has no supernet."""
    typed, _, task = name.strip().partition("/")
    if family := spelled(typed, modules("benchmarks")):
        found = _supernets(family, spelled(task, family_of(family).TASKS) or task)
    else:
        found = _of_space(spelled(typed, space_names()), task)
    if found is None:
        if name.strip() not in benchmark_names():
            raise UnknownName(unknown("benchmark", name, benchmark_names()))
        raise Unsupported(f"{name} has no supernet. There is one for {', '.join(benchmarks_with_supernets())}.")
    return found


def benchmarks_with_supernets() -> list[str]:
    """The ids of the benchmarks with a supernet: their family's module has a function ``supernets(task)``."""
    return [name for name in benchmark_names() if _supernets(*name.split("/", 1)) is not None]


def get_protocol(name: str) -> Protocol:
    """The published protocol of a name."""
    known: dict[str, Protocol] = {}
    for family in modules("benchmarks"):
        known |= getattr(family_of(family), "PROTOCOLS", {})
    if name not in known:
        raise UnknownName(unknown("protocol", name, known))
    return known[name]


def recipe_modules() -> dict[str, ModuleType]:
    """The recipes of `nassim data` by name: modules of ``tabular_data/recipes/`` that have a NAME."""
    found = map(importlib.import_module, modules("tabular_data.recipes").values())
    return {module.NAME: module for module in found if hasattr(module, "NAME")}


def recipe_module(name: str) -> ModuleType:
    """The recipe of a name."""
    known = recipe_modules()
    key = name.strip().lower().replace("_", "-")
    found = {recipe.replace("_", "-"): module for recipe, module in known.items()}.get(key)
    if found is None:
        raise UnknownName(unknown("recipe", name, known))
    return found


def get_space(name: str) -> SearchSpace:
    """The search space of a name."""
    known = {space.name: space for family in modules("benchmarks") for space in spaces_of(family)}
    found = spelled(name.strip(), known)
    if found is not None:
        return known[found]
    raise UnknownName(unknown("search space", name, space_names()))


def find(name: str) -> list[Algorithm | Benchmark | SearchSpace]:
    """Whatever has the name: an algorithm, a benchmark or a search space; `darts` is an algorithm and a space."""
    lookups: tuple[Callable[[str], Algorithm | Benchmark | SearchSpace], ...] = (
        get_algorithm,
        get_benchmark,
        get_space,
    )
    found = []
    for lookup in lookups:
        with contextlib.suppress(UnknownName):
            found.append(lookup(name))
    if not found:
        known = [*algorithm_names(), *benchmark_names(), *space_names()]
        raise UnknownName(unknown("algorithm, benchmark or search space", name, known))
    return found


def family_pages() -> dict[str, str]:
    """The page of each benchmark family, by the family's name in ids; opens no table."""
    found = {name: family_of(name) for name in modules("benchmarks")}
    return {getattr(module, "FAMILY", name): module.__doc__ or "" for name, module in found.items()}


def benchmark_titles() -> dict[str, str]:
    """The first line of each benchmark family's page, by benchmark id; opens no table."""
    pages = family_pages()
    return {name: pages[name.partition("/")[0]].strip().partition("\n")[0] for name in benchmark_names()}


def _supernets(family: str, task: str, space: str = "") -> Supernets | None:
    """Of a family's task or, where a space is named that is not called as its family, of that on a set of images."""
    make: Callable[[str], Supernets | None] | None = getattr(family_of(family), "supernets", None)
    if make is not None and space in ("", family):
        return make(task)
    return _of_space(space, task)


def _of_space(space: str | None, images: str) -> Supernets | None:
    if not space:
        return None
    found: Supernets | None = module_at(_SOURCES).known_supernets(get_space(space), images.partition(":")[0])
    return found
