"""Where trainings run: CPU, CUDA or MPS, and their seconds; and the line that says what is missing without torch.

Every training is charged in *device seconds*, whichever way it is made (one by one, many at once, a supernet). On a
CPU they are the processor time of the process (all its threads), so that what other processes take is not in them;
on an accelerator the time that elapses between synchronizations.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import platform
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nassim.errors import InvalidSetting, MissingDependency

if TYPE_CHECKING:
    import torch


def require_torch(what: str) -> None:
    """Raise `MissingDependency` unless torch is installed; ``what`` begins the sentence ("training")."""
    if importlib.util.find_spec("torch") is None:
        raise MissingDependency(f"{what} needs torch, which is not installed: pip install nassim[train]")


def choose_device(name: str = "auto") -> torch.device:
    """The device of a name: ``cpu``, ``cuda``, ``cuda:1``, ``mps``, or ``auto`` for the fastest that is there.

    `InvalidSetting` for another name or for a device that this machine or this torch does not have.
    """
    require_torch("training")
    import torch

    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    kind, _, number = name.partition(":")
    if kind not in ("cpu", "cuda", "mps") or (number and not (kind == "cuda" and number.isdecimal())):
        raise InvalidSetting(f"{name!r} is not a device: use auto, cpu, cuda, cuda:N or mps.")
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available() and int(number or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not there[kind]:
        raise InvalidSetting(f"the device {name} is not here: torch {torch.__version__} does not see it. Use cpu.")
    return torch.device(name)


def separate(name: str) -> list[dict[str, str]]:
    """The devices of a name, and of each the environment of a process that has it for itself.

    Of ``cuda`` every card that is seen, of ``cuda:N`` that one; of ``cpu`` every core that this process may use.
    """
    chosen = choose_device(name)
    import torch

    if chosen.type == "cuda" and ":" not in name:
        seen = [part.strip() for part in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if part.strip()]
        cards = seen or [str(k) for k in range(torch.cuda.device_count())]
        return [{"CUDA_VISIBLE_DEVICES": card} for card in cards[: torch.cuda.device_count()]]
    if chosen.type == "cpu":
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return [{"OMP_NUM_THREADS": "1"} for _ in range(cores)]
    return [{}]


def describe(device: torch.device) -> str:
    """The device in words, for reports: the processor or the card, and torch's version."""
    import torch

    if device.type == "cuda":
        hardware = torch.cuda.get_device_name(device)
    else:
        hardware = f"{processor()}, {torch.get_num_threads()} threads"
    return f"{device} ({hardware}; torch {torch.__version__})"


def device_seconds(device: torch.device) -> float:
    """A clock whose differences are device seconds: what has been given to the device until now is done."""
    import torch

    if device.type == "cpu":
        return time.process_time()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
    return time.perf_counter()


def seconds_are(device: torch.device) -> str:
    """What `device_seconds` counts, for whoever reads them: "processor time of the process"."""
    return "processor time of the process" if device.type == "cpu" else f"elapsed time, synchronized with {device}"


@contextlib.contextmanager
def one_thread(wanted: bool = True) -> Iterator[None]:
    """Work with one thread of the CPU, where ``wanted``.

    Small networks spend more on sharing an operation among threads than they gain, on a busy machine much more.
    """
    import torch

    threads = torch.get_num_threads()
    try:
        if wanted:
            torch.set_num_threads(1)
        yield
    finally:
        torch.set_num_threads(threads)


def processor() -> str:
    """The name of the processor as the system gives it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123 (a device file, not data)
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()
