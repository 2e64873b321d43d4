"""Fetching released image files by address and checksum."""

from __future__ import annotations

from pathlib import Path

from nassim.errors import CorruptData, MissingData


def retrieve(url: str, known: str, folder: Path) -> Path:
    """Bring a file into ``folder`` under its own name; one that is there and whole is not fetched again.

    known: ``md5:...`` or ``sha256:...``. `CorruptData` for another file, `MissingData` if it cannot be fetched.
    """
    import pooch

    pooch.get_logger().setLevel("ERROR")
    try:
        return Path(pooch.retrieve(url, known, fname=url.rpartition("/")[2], path=folder))
    except ValueError as error:
        algorithm, _, value = known.partition(":")
        raise CorruptData(f"{url} has another {algorithm} than {value}: it was altered or cut off.") from error
    except OSError as error:
        raise MissingData(
            f"{url} cannot be fetched: {error!s:.160}. Fetch it elsewhere and put it into {folder}."
        ) from error
