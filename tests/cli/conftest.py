"""What the tests of the command line share: a command as a user types it, and a small comparison."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nassim.cli.main import main

Outcome = Callable[..., tuple[int, str, str]]


@pytest.fixture
def outcome(capsys: pytest.CaptureFixture[str]) -> Outcome:
    """Gives the exit code of a command, what it printed, and what it said."""

    def typed(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        return int(ended.value.code or 0), *capsys.readouterr()

    return typed


@pytest.fixture
def one_line(outcome: Outcome) -> Callable[..., str]:
    """Gives what a command says that must be refused as a user's mistake is."""

    def refused(*arguments: str) -> str:
        code, _, err = outcome(*arguments)
        assert code == 2 and err.startswith("error: ") and err.count("\n") == 1 and len(err) < 500, err
        return err

    return refused


@pytest.fixture(scope="session")
def small() -> Callable[..., list[str]]:
    """Gives the arguments of a small comparison without a report."""

    def arguments(algos: str, *more: str, benchmark: str = "toy/additive", jobs: str = "1") -> list[str]:
        command = ["compare", "--algos", algos, "--benchmark", benchmark, "--budget", "12q", "--seeds", "3"]
        return [*command, "--jobs", jobs, "--no-report", *more]

    return arguments
