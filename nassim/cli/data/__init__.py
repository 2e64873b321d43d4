"""nassim data: released benchmark data, from their repositories to tables. One file per verb."""

from __future__ import annotations

import typer

from nassim.cli.data import build, get, images, import_, info, measure_latency, path, remove, template, text, verify
from nassim.cli.data.list import main as list_main

app = typer.Typer(help="Benchmark data: list, get, build, import, verify.", no_args_is_help=True, add_completion=False)
app.command("list")(list_main)
app.command("get")(get.main)
app.command("build")(build.main)
app.command("images")(images.main)
app.command("import")(import_.main)
app.command("info")(info.main)
app.command("verify")(verify.main)
app.command("path")(path.main)
app.command("remove")(remove.main)
app.command("measure-latency")(measure_latency.main)
app.command("template")(template.main)
app.command("text")(text.main)
