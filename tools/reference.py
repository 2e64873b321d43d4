"""Write docs/reference.md: every public name of nassim, from its docstring.

    .venv/bin/python tools/reference.py          writes the page
    .venv/bin/python tools/reference.py --check  exit code 1 if the page is not what this writes

A name stands under the first module of `MODULES` that has it; a test holds the page against the docstrings.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import is_dataclass
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference.md"
COMMAND = ".venv/bin/python tools/reference.py"
MODULES = (
    *("nassim", "nassim.testing", "nassim.strategy", "nassim.space", "nassim.network", "nassim.benchmark"),
    *("nassim.metric", "nassim.objectives", "nassim.supernet", "nassim.summary", "nassim.errors", "nassim.stats"),
)
HEAD = f"""# Reference

Every public name, from the docstrings of the code: `{COMMAND}` writes this page, and a test holds it against them.
How things are used is in README.md and CONTRIBUTING.md. Accuracies are fractions unless a name says percent, times are
seconds on the simulated clock unless it says otherwise.
"""


class Entry(NamedTuple):
    """A public name, and where it stands in the page."""

    module: str
    name: str
    value: object
    text: str  # its docstring; empty if it has none


def public_names(module: ModuleType) -> list[str]:
    """What a module offers: its ``__all__``, else the classes and functions that are defined in it."""
    if hasattr(module, "__all__"):
        return list(module.__all__)
    own = [name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__]
    return [name for name in own if not name.startswith("_") and _has_docstring(getattr(module, name))]


def entries() -> Iterator[Entry]:
    """All public names, each once."""
    seen: set[int] = set()
    for path in MODULES:
        module = importlib.import_module(path)
        for name in public_names(module):
            value = getattr(module, name)
            if not _has_docstring(value):
                yield Entry(path, name, value, _after_assignment(module, name))
            elif id(value) not in seen:
                seen.add(id(value))
                yield Entry(path, name, value, docstring(value))


def undocumented() -> list[str]:
    """The public names, and the public methods of public classes, that have no docstring."""
    missing = [f"{entry.module}.{entry.name}" for entry in entries() if not entry.text]
    for entry in entries():
        missing += [f"{entry.module}.{entry.name}.{name}" for name, member in _members(entry.value) if not member[1]]
    return missing


def docstring(value: object) -> str:
    """The docstring of a class or a function; empty where it has none of its own."""
    text = inspect.cleandoc(vars(value).get("__doc__") or "") if inspect.isclass(value) else inspect.getdoc(value) or ""
    return "" if text.startswith(f"{getattr(value, '__name__', '')}(") else text  # as dataclasses make one


def page() -> str:
    """The whole page."""
    parts = [HEAD, "\n".join(f"- [`{path}`](#{path.replace('.', '')})" for path in MODULES)]
    found = list(entries())
    for path in MODULES:
        title = docstring(importlib.import_module(path)).partition("\n\n")[0]
        parts += [f"## `{path}`", title]
        for entry in found:
            if entry.module == path:
                parts += [f"### `{entry.name}`", *_entry(entry)]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _entry(entry: Entry) -> Iterator[str]:
    call = signature(entry.value, entry.name, width=120)
    if call:
        yield f"```text\n{call}\n```"
    yield prose(entry.text)
    members = [f"- `{name}{call}`: {' '.join(text.split())}" for name, (call, text) in _members(entry.value)]
    if members:
        yield "\n".join(members)


def _members(value: object) -> Iterator[tuple[str, tuple[str, str]]]:
    """The public methods and properties that a class defines itself: name, (signature, its docstring in words)."""
    if not inspect.isclass(value):
        return
    for name, member in vars(value).items():
        if name.startswith("_"):
            continue
        wrapped = getattr(member, "fget", None) or getattr(member, "func", None) or getattr(member, "__func__", member)
        if inspect.isfunction(wrapped):
            call = signature(wrapped) if callable(getattr(value, name)) else ""
            paragraphs = [part for part in docstring(wrapped).split("\n\n") if not part.startswith((">>>", "    "))]
            yield name, (call, " ".join(paragraphs))


def signature(value: object, name: str = "", width: int = 10_000) -> str:
    """How something is called, in the words of its source; empty where it is not made by calling it.

    Broken between parameters if it is longer than ``width`` characters.
    """
    if not (inspect.isclass(value) or inspect.isfunction(value)):
        return ""
    if inspect.isclass(value) and not (is_dataclass(value) or issubclass(value, tuple) or "__init__" in vars(value)):
        return ""
    if inspect.isclass(value) and issubclass(value, BaseException):
        return ""
    call = inspect.signature(value)
    parts, star = [], False
    for parameter in call.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not star:
            parts.append("*")
        star = star or parameter.kind in (parameter.KEYWORD_ONLY, parameter.VAR_POSITIONAL)
        if parameter.name not in ("self", "cls"):
            parts.append(_parameter(parameter))
    returns = call.return_annotation
    known = returns is not call.empty and returns is not None and not inspect.isclass(value)
    end = f" -> {_type(returns)}" if known else ""
    line = f"{name}({', '.join(parts)}){end}"
    return line if len(line) <= width else f"{name}(\n" + "".join(f"    {part},\n" for part in parts) + f"){end}"


def _parameter(parameter: inspect.Parameter) -> str:
    mark = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
    annotation = "" if parameter.annotation is parameter.empty else f": {_type(parameter.annotation)}"
    equals = " = " if annotation else "="
    default = "" if parameter.default is parameter.empty else f"{equals}{_default(parameter.default)}"
    return f"{mark}{parameter.name}{annotation}{default}"


def _type(annotation: object) -> str:
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__forward_arg__", None)
    return text or getattr(annotation, "__name__", str(annotation))


def _default(value: object) -> str:
    text = repr(value)
    return "..." if text.startswith("<") else text


def prose(text: str) -> str:
    """A docstring as Markdown: examples and what is indented in fenced blocks, the rest as it is."""
    blocks = []
    for block in re.split(r"\n\n+", text):
        lines = block.splitlines()
        if block.startswith(">>>"):
            blocks.append(f"```pycon\n{block}\n```")
        elif lines and all(line.startswith("    ") for line in lines):
            blocks.append("```text\n" + "\n".join(line[4:] for line in lines) + "\n```")
        else:
            blocks.append(block)
    return "\n\n".join(blocks)


def _has_docstring(value: object) -> bool:
    return inspect.isclass(value) or inspect.isfunction(value)


def _after_assignment(module: ModuleType, name: str) -> str:
    """The text that stands behind a constant's assignment, in whatever module of nassim it was made."""
    tree = ast.parse(inspect.getsource(module))
    for node, after in zip(tree.body, [*tree.body[1:], None], strict=True):
        if isinstance(node, ast.ImportFrom) and any((alias.asname or alias.name) == name for alias in node.names):
            return _after_assignment(importlib.import_module(node.module or ""), name)
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            text = getattr(getattr(after, "value", None), "value", None) if isinstance(after, ast.Expr) else None
            return inspect.cleandoc(text) if isinstance(text, str) else ""
    return ""


def main() -> int:
    """Write the page, or compare it."""
    text = page()
    if "--check" in sys.argv:
        return int(not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != text)
    PAGE.write_text(text, encoding="utf-8")
    sys.stdout.write(f"written: {PAGE}, {text.count(chr(10) + '### ')} names\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
