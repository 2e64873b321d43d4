"""What lies in the folders of algorithms, benchmarks and recipes, and in installed packages: their modules."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from types import ModuleType

from nassim.errors import NassimError
from nassim.space import SearchSpace
from nassim.strategy import Algorithm


@cache
def modules(folder: str) -> dict[str, str]:
    """File name -> module path, for the project's folder and for installed packages."""
    package = importlib.import_module(f"nassim.{folder}")
    own = {m.name: f"nassim.{folder}.{m.name}" for m in pkgutil.iter_modules(package.__path__) if not m.ispkg}
    from importlib.metadata import entry_points  # takes a tenth of the start of a command: not all need it

    return {**{point.name: point.value for point in entry_points(group=f"nassim.{folder}")}, **own}


@cache
def algorithms_found() -> dict[str, Algorithm]:
    """The strategies by their names; `NassimError` for a plug-in without one."""
    found = {}
    for name, path in modules("algorithms").items():
        algorithm = getattr(module_at(path), name, None)
        if not isinstance(algorithm, Algorithm):
            raise NassimError(
                f"the plug-in {path} has no strategy {name}: the entry point is called as the function is."
            )
        found[name] = algorithm
    return found


def module_at(path: str) -> ModuleType:
    """A module by its path; what an installed package's raises is one line that names it."""
    try:
        return importlib.import_module(path)
    except Exception as error:
        if path.startswith("nassim."):
            raise
        what = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise NassimError(f"the plug-in {path} cannot be loaded: {what}. Mend its package, or uninstall it.") from error


def family_of(name: str) -> ModuleType:
    """The module of a family of benchmarks."""
    return module_at(modules("benchmarks")[name.replace("-", "_")])


def spaces_of(family: str) -> tuple[SearchSpace, ...]:
    """A family's search space, or those of one whose tasks have different ones."""
    module = family_of(family)
    found: tuple[SearchSpace, ...] | None = getattr(module, "SPACES", None)
    return (module.SPACE,) if found is None else found
