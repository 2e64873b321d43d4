"""Finds verbs that are called without ``yield from`` in a strategy's source: they make a generator that nobody runs.

Such a search trains nothing and often never ends, so it is refused before it begins. Only what is certainly lost is:
a call that stands alone, is yielded itself, is looped over, added to a list or asked for an attribute, and one that is
kept under a name which nothing ever runs.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from nassim.errors import ProtocolError
from nassim.slips import VERBS

_NOTHING = object()
_COLLECTED = "what was added to a list"  # no name of Python's


def refuse_unrun_verbs(function: Callable[..., Any]) -> None:
    """Raise `ProtocolError` at the first lost call of a verb; silent where the source cannot be read."""
    found = _first(function)
    if found is not None:
        verb, line = found
        where = f"{Path(inspect.getsourcefile(function) or '?').name}, line {line}"
        raise ProtocolError(
            f"{function.__name__} in {where}: {verb}(...) without `yield from` trains nothing: write `{VERBS[verb]}`."
        )


@lru_cache(maxsize=256)
def _first(function: Callable[..., Any]) -> tuple[str, int] | None:
    try:
        lines, first = inspect.getsourcelines(function)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, TypeError, SyntaxError, ValueError):
        return None  # typed in, made by exec, or no function
    for verb, node in _lost(tree, function):
        return verb, first + node.lineno - 1
    return None


def _lost(tree: ast.Module, function: Callable[..., Any]) -> Iterator[tuple[str, ast.Call]]:
    own = {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    own |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    own |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    holders = (ast.YieldFrom, ast.Return, ast.Call, ast.List, ast.Tuple, ast.Dict, ast.Assign)
    run_later = {
        child.id
        for node in ast.walk(tree)
        if isinstance(node, holders)
        for child in ast.iter_child_nodes(node)
        if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Load)
    }
    if any(isinstance(node, ast.YieldFrom) and not isinstance(node.value, ast.Call) for node in ast.walk(tree)):
        run_later.add(_COLLECTED)  # of a list, perhaps
    for parent in ast.walk(tree):
        for child in ast.iter_child_nodes(parent):
            if not isinstance(child, ast.Call):
                continue
            verb = _verb(child.func, function, own)
            if verb and _loses(parent, child, run_later):
                yield verb, child


def _loses(parent: ast.AST, call: ast.Call, run_later: set[str]) -> bool:
    """Whether a call in this place can never be run."""
    if isinstance(parent, (ast.Expr, ast.Yield, ast.Attribute, ast.Subscript, ast.AugAssign)):
        return True
    if isinstance(parent, (ast.For, ast.comprehension)):
        return parent.iter is call
    if isinstance(parent, ast.Call):  # list.append(evaluate(...))
        collects = isinstance(parent.func, ast.Attribute) and parent.func.attr in ("append", "extend", "add")
        return collects and _COLLECTED not in run_later
    targets = parent.targets if isinstance(parent, ast.Assign) else [getattr(parent, "target", None)]
    if isinstance(parent, (ast.Assign, ast.AnnAssign)):
        return all(isinstance(target, ast.Name) and target.id not in run_later for target in targets)
    return False


def _verb(called: ast.expr, function: Callable[..., Any], own: set[str]) -> str:
    """The verb that an expression names, where the function's globals say so; empty for anything else."""
    path: list[str] = []
    while isinstance(called, ast.Attribute):
        path.insert(0, called.attr)
        called = called.value
    if not isinstance(called, ast.Name) or called.id in own:
        return ""
    found: Any = getattr(inspect.unwrap(function), "__globals__", {}).get(called.id, _NOTHING)
    for name in path:
        found = getattr(found, name, _NOTHING)
    name = getattr(found, "__name__", "")
    return name if name in VERBS and getattr(found, "__module__", "") == "nassim.strategy" else ""
