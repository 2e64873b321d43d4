"""nassim data text: a text to train language models on, your own or a released one."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from nassim.cli.console import Json, console, print_json
from nassim.cli.data.find import megabytes
from nassim.errors import InvalidSetting


class Unit(str, Enum):
    """What a language model predicts."""

    words = "words"
    characters = "characters"


def main(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="a name of your own, or ptb, wikitext-2, tiny-shakespeare")
    ],
    path: Annotated[
        Path | None,
        typer.Argument(help="a text file (UTF-8), or a folder with train.txt, valid.txt and test.txt"),
    ] = None,
    unit: Annotated[Unit, typer.Option("--by", help="words (parted by spaces) or characters.")] = Unit.words,
    vocabulary: Annotated[
        int | None, typer.Option(min=3, help="Most frequent words that are kept; the others are <unk>.")
    ] = None,
    lower: Annotated[bool, typer.Option("--lower", help="Everything in lower case.")] = False,
    unknown: Annotated[
        bool, typer.Option("--unknown", help="Characters that only validation or test has are taken for one.")
    ] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Take the place of a text of this name.")] = False,
    as_json: Json = False,
) -> None:
    """Keep a text in the data folder: numbered words or characters, in the same three splits everywhere.

    The names of released texts fetch them (or, with PATH, take what was fetched elsewhere) and check them; nassim
    ships none of those. `nassim train rnn:DARTS_V2 --data NAME` trains on a text.
    """
    from nassim.full_training.texts import own, reading, releases

    target = own.path_of(name)
    if target.exists() and not replace:
        raise InvalidSetting(f"there is a text {name} already ({target}): choose another name or --replace.")
    released = name in releases.RELEASES
    if path is None and not released:
        raise InvalidSetting(f"a text of your own needs a PATH; released ones are {', '.join(releases.RELEASES)}.")
    path = path.expanduser() if path is not None else None
    with console(stderr=True).status(f"reading {path or name}"):
        if released:
            data = releases.obtain(name, path)
        else:
            assert path is not None, "looked at above"
            lines, names = reading.read(path)
            data = reading.numbered(name, lines, unit.value, vocabulary, names=names, lower=lower, unknown=unknown)
        own.save(data)
    shares = {split: data.share_unknown(split) for split in data.splits}
    counts = {split: len(row) for split, row in data.splits.items()}
    if as_json:
        about = {"name": name, "path": target, "unit": data.unit, "vocabulary": len(data.vocabulary)}
        print_json(about | {"tokens": counts, "unknown": shares, "sha256": data.sha256})
        return
    typer.echo(f"{name}: {target} ({megabytes(target.stat().st_size)})")
    sizes = ", ".join(f"{count:,} {split} ({data.names[split]})" for split, count in counts.items())
    typer.echo(f"{data.unit}, {len(data.vocabulary):,} different ones; {sizes}")
    if any(shares.values()):
        typer.echo("not in the vocabulary: " + ", ".join(f"{100 * s:.2f} % of {n}" for n, s in shares.items()))
    typer.echo(f"sha256 {data.sha256}")
