"""The command ``nassim``: sub-commands, and errors as one line with exit code 2."""

from __future__ import annotations

import shlex
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated

import typer

from nassim.cli import (
    compare,
    completion,
    data,
    export,
    front,
    merge,
    new,
    plot,
    probe,
    query,
    record,
    report,
    reproduce,
    run,
    show,
    train,
    transfer,
    validate,
    watch,
)
from nassim.cli.console import print_anywhere
from nassim.cli.list import main as list_main
from nassim.cli.log import LOG, begin, ended, in_front
from nassim.cli.open import main as open_main
from nassim.errors import NassimError
from nassim.slips import strategy_failure
from nassim.version import __version__

app = typer.Typer(
    name="nassim",
    help="Compare neural architecture search strategies on benchmarks, in simulated time.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("completion")(completion.main)
app.command("list")(list_main)
app.command("show")(show.main)
app.command("query")(query.main)
app.command("front")(front.main)
app.command("run")(run.main)
app.command("compare")(compare.main)
app.command("record")(record.main)
app.command("merge")(merge.main)
app.command("watch")(watch.main)
app.command("report")(report.main)
app.command("open")(open_main)
app.command("plot")(plot.main)
app.command("export")(export.main)
app.command("train")(train.main)
app.command("validate")(validate.main)
app.command("probe")(probe.main)
app.command("transfer")(transfer.main)
app.command("reproduce")(reproduce.main)
app.add_typer(data.app, name="data")
app.add_typer(new.app, name="new")


_typed: ContextVar[list[str]] = ContextVar("typed")  # the words of the command


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    log: Annotated[
        Path | None,
        typer.Option(
            "--log",
            metavar="FILE",
            dir_okay=True,
            help="Write what happens, with times, at the end of this text file; also after the command.",
        ),
    ] = None,
) -> None:
    if log is not None:
        begin(log)
        LOG.info("began: nassim %s", shlex.join(_typed.get()))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; leaves by SystemExit: 0 success, 2 a user's mistake, 130 interrupted or told to end.

    An exception of a strategy's own code is one line too, with its place; `nassim.run` gives the traceback.
    """
    print_anywhere()
    log, words = in_front(sys.argv[1:] if arguments is None else arguments)
    token = _typed.set(words)
    try:
        with ended():
            _run([*log, *words])
    finally:
        _typed.reset(token)


def _run(words: list[str]) -> None:
    try:
        with _told_to_end_is_interrupted():
            app(args=words)
    except NassimError as error:
        LOG.error("%s", error)
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)
    except Exception as error:
        line = strategy_failure(error)
        if line is None and isinstance(error, OSError) and error.filename is not None:  # a file that the user named
            line = f"{error.filename}: {error.strerror}."
        if line is None:
            LOG.exception("this is a bug of nassim")
            raise
        LOG.error("%s", line)
        typer.echo(f"error: {line}", err=True)
        sys.exit(2)


@contextmanager
def _told_to_end_is_interrupted() -> Iterator[None]:
    """SIGTERM is as Ctrl-C in the block: what has finished is said, workers end, no temporary file stays."""
    if threading.current_thread() is not threading.main_thread():  # only there may handlers be set
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


if __name__ == "__main__":
    main()
