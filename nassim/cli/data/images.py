"""nassim data images: a data set of your own images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nassim.cli.console import Json, console, print_json
from nassim.cli.data.find import megabytes
from nassim.errors import CorruptData, InvalidSetting

SHOWN = 3  # of what was found wrong


def main(
    name: Annotated[str, typer.Argument(metavar="NAME", help="a name for the data set: a-z, 0-9 and -")],
    path: Annotated[Path, typer.Argument(help="a folder or an archive (zip, tar) with a folder of pictures a class")],
    side: Annotated[
        int | None, typer.Option(min=4, max=512, help="Make every picture a square of so many pixels.")
    ] = None,
    mirror: Annotated[bool, typer.Option(help="Whether a mirrored image keeps its class (not so: digits).")] = True,
    skip_broken: Annotated[bool, typer.Option("--skip-broken", help="Leave out pictures that cannot be read.")] = False,
    masks: Annotated[
        bool, typer.Option("--masks", help="PATH has a folder images and a folder masks: the class of every pixel.")
    ] = False,
    classes: Annotated[
        int | None, typer.Option(min=2, max=255, help="With --masks: how many; default as many as the masks have.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Take the place of a data set of this name.")] = False,
    as_json: Json = False,
) -> None:
    """Keep images in the data folder, divided into training, validation and test images the same way everywhere.

    Folders named train, valid and test above those of the classes are those splits; of what has none, a tenth of each
    class is for validation and a tenth for test. `nassim train ARCH --data NAME` trains on them.

    With --masks each picture below images has a PNG of its name below masks, with the classes 0, 1, ... as grey levels
    or palette entries and 255 for pixels of none; `nassim train squeezenas-short:... --data NAME` trains on them.
    """
    from nassim.full_training.images import masks as masked
    from nassim.full_training.images import own, pictures, sources

    if classes is not None and not masks:
        raise InvalidSetting("--classes goes with --masks; without masks every folder of pictures is a class.")
    target, other = (own.path_of(name, masks=kind) for kind in (masks, not masks))
    if other.exists():
        raise InvalidSetting(f"there is a data set {name} of another kind ({other}): choose another name.")
    if target.exists() and not replace:
        raise InvalidSetting(f"there is a data set {name} already ({target}): choose another name or --replace.")
    path = path.expanduser()
    files = sources.pictures(path)
    with console(stderr=True).status(f"reading {path}"):
        taken: Any = masked.take(files, classes, side) if masks else pictures.take(files, side)
        if taken.broken and not skip_broken:
            raise CorruptData(
                f"{len(taken.broken):,} of {taken.count:,} pictures in {path} cannot be read: "
                f"{_some(taken.broken)}. Nothing was kept; --skip-broken leaves them out."
            )
        if masks:
            data = masked.divide(name, taken, classes, flip=mirror)
            labels = tuple(map(str, range(data.classes)))
        else:
            data = pictures.divide(name, taken, flip=mirror)
            labels = tuple(sorted({label for _, label in taken.images}))
        own.save(data, labels)
    notes = [f"left out: {_some(taken.broken)}"] if taken.broken else []
    no_place = "below neither images nor masks" if masks else "in no folder of a class"
    notes += [f"{no_place}, left out: {_some(taken.other)}"] if taken.other else []
    counts = {split: len(part) for split, part in data.splits.items()}
    if as_json:
        print_json(
            {
                "name": name,
                "path": target,
                "classes": labels,
                "images": counts,
                "side": data.side,
                "channels": data.channels,
                "sha256": data.sha256,
                "notes": notes,
            }
        )
        return
    sizes = ", ".join(f"{count:,} {data.names[split]}" for split, count in counts.items())
    typer.echo(f"{name}: {target} ({megabytes(target.stat().st_size)})")
    of = " of pixels" * masks
    typer.echo(f"{len(labels)} classes{of}, {data.side} x {data.side} pixels, {data.channels} channel(s); {sizes}")
    typer.echo("\n".join([f"sha256 {data.sha256}", *notes]))


def _some(lines: list[str]) -> str:
    """The first few, and how many more."""
    more = f" and {len(lines) - SHOWN:,} more" if len(lines) > SHOWN else ""
    return ", ".join(lines[:SHOWN]) + more
