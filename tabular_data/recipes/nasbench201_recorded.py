"""Recorded weight-sharing searches on NAS-Bench-201's cifar10: 24 runs of NASLib, with the cell of every epoch.

Four runs each of DARTS, GDAS and PC-DARTS, and of their forms with smoothed logits (SmoothDARTS), made in May 2020
with NASLib's own supernet on the 25,000 search images. They become recordings of `darts` and `gdas`, and of
`pc_darts`, `smooth_darts`, `smooth_gdas` and `smooth_pc_darts`, which wait for those strategies.

From the files: for every epoch the seconds that the training of weights and logits took (a supernet's validation
and test accuracy, and the look-up of the cell, are not charged) and the cell as an official string, edges by target.
Checked on every epoch: 50 of each, cells and time stamps of the log agree with the JSON file, the parameters of the
cell's record are those counted from the string, and its validation accuracies are means of repeats that NAS-Bench-201
has of that cell (an earlier release had fewer of them).
"""

from __future__ import annotations

import ast
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nassim.benchmarks.spaces.nasbench201 import SPACE
from nassim.benchmarks.spaces.nasbench201_cost import parameters
from nassim.errors import CorruptData
from nassim.supernet import Moment, Recording
from nassim.tabular_data.download import RemoteFile
from nassim.tabular_data.recipes import nasbench201 as wheel
from nassim.tabular_data.recordings import file_name, write_recording

NAME = "nasbench201-recorded"
ADDS = "recorded curves of darts and gdas on nasbench201/cifar10 (24 runs of NASLib; PC-DARTS and smoothed ones wait)"
LICENCE = "Apache-2.0"
CITATION = (
    'M. Ruchte, A. Zela, J. Siems, J. Grabocka, F. Hutter, "NASLib: A Modular and Flexible Neural Architecture Search '
    'Library", 2020, https://github.com/automl/NASLib'
)
ERRATA = (
    "The first DARTS log goes on with the beginning of another run: only the first 50 epochs are taken.",
    "The logs do not name the graphics card.",
    "NASLib looked cells up in an earlier release of NAS-Bench-201 with fewer repeats; accuracies are looked up anew.",
)
BENCHMARK = "nasbench201/cifar10"
EPOCHS = 50
_COMMIT = "6443a33a14b1856c9fe93e704da380745ccb611a"
_FOLDER = "naslib/benchmarks/nasbench201/old/run/cifar10"
_MACHINE = f"a graphics card of NASLib's authors in 2020 (NASLib {_COMMIT[:7]}, its own strategy and supernet)"
_KNOWN = {  # below _FOLDER: bytes and sha256
    "DARTSOptimizer/errors_0.json": (68333, "84ff0f6002edc7b49e35676f1e9daaa8f3139340d08433ea6a85ba146aa07e7f"),
    "DARTSOptimizer/errors_1.json": (68352, "c6a0ebcb3bcea42e8774a0b0832daf51f0d5b30e35da7e58afea421527130a12"),
    "DARTSOptimizer/errors_2.json": (68255, "2402f342ad11e5cc9fd28d14d6dfcd91c47b45b98405e4a8fd560f945a924776"),
    "DARTSOptimizer/errors_3.json": (68284, "563a19b93ab6a60a48fa066857be54fa19113ef15f4fee337aff9a49b12bd200"),
    "DARTSOptimizer/log_0.txt": (152247, "e04bed2f3196621c4223ecd4662dcca3b59266d82527917dacea82431dfd27b5"),
    "DARTSOptimizer/log_1.txt": (152525, "1caa0a5cbb96a2b0ce68128e42bf4cf1b8ef5179c69c492f57386671075a3906"),
    "DARTSOptimizer/log_2.txt": (151237, "b1f49c25f8cb58af61e15107aee962e9f8ce4084cd26a5fe4154dd5957175bca"),
    "DARTSOptimizer/log_3.txt": (151267, "547a40304bf2fe0fb93a81029204c1b08e56edc5760b720f1342f9d1ebe8ce3d"),
    "GDASOptimizer/errors_1.json": (66983, "3b1930685dd5b921be36f40d230736c2c92316bb3cff0cf101081f3412233409"),
    "GDASOptimizer/errors_2.json": (66694, "668008c82a910c97c000cc29a422e16b325f46e70e4877b15b7975e349e852be"),
    "GDASOptimizer/errors_3.json": (66974, "ba7635c6128846dda0d9884120709839743f8106b1d68664ef7a1eccd3b97b56"),
    "GDASOptimizer/errors_4.json": (66845, "d66c9e38958565e9c1c1cdb9caeca902c9ff8c3cfaf80b8d4601eb511f4246e5"),
    "GDASOptimizer/log_1.txt": (194160, "5442e38309dd6cb986a957c905f62fba208b5ec80ce25603eb37c9911be9b849"),
    "GDASOptimizer/log_2.txt": (193888, "ef0c38e0acd68df27091a817a102d3bb899172fe649ae45a14720f47b459424d"),
    "GDASOptimizer/log_3.txt": (194164, "43687fb36b0037896da3e1d01ef14422f3158006aa3b1a301826184f1ef9873a"),
    "GDASOptimizer/log_4.txt": (194034, "07e30675f4a6a912765c9bc1826f71bea9c3e5b9fec93abd6c1c9ac77e572461"),
    "PCDARTSOptimizer/errors_0.json": (68694, "22ed616d7312fe6225b0b9270e729b715c7815a3dc8ab67225e2fcb74db701b1"),
    "PCDARTSOptimizer/errors_1.json": (68410, "48b2aca9d1b9b4456c3f30eaa09ccb1dd14a2cda1510dfe4e134dcb50ef68a62"),
    "PCDARTSOptimizer/errors_2.json": (67451, "68a1416af13d9cabd92cc48dc5a41cc17f296f15732bb4109a9cb4bf6f469210"),
    "PCDARTSOptimizer/errors_3.json": (69364, "b37f298a47750f6b80bc1791608c5912917297db893714d1de65f45d4f43b111"),
    "PCDARTSOptimizer/log_0.txt": (193560, "2b0dffff3bdf6c3c8f21f31aa27c819501a3d9ce312900055d5e6bcb3252d2f8"),
    "PCDARTSOptimizer/log_1.txt": (193287, "f9a6cc270543f39a175529d887257aec498401ef87e48ba02cab1e137bbde297"),
    "PCDARTSOptimizer/log_2.txt": (192332, "5fbd383e8456fe162e8a1c6ab17d712b4135206c46ab13bcbe7d308f0468c0ce"),
    "PCDARTSOptimizer/log_3.txt": (194240, "078f4b400b0ec8bee513e569dd7b4ea3633f6d202c4913fa43fa03edc0b26a12"),
    "SDARTSDARTSOptimizer/errors_0.json": (66647, "f6a9cae34f64747f1250b675b8a68a3d4deaab741c88dd19cbdad4f25e4ad563"),
    "SDARTSDARTSOptimizer/errors_1.json": (66644, "c0dba024bdc12d15bdd15570ac826c2bb45e28019a12097868fa1fa09fb58b4a"),
    "SDARTSDARTSOptimizer/errors_2.json": (66675, "11ac7cfe9b809b6b2d795d8e26c9143f4fa269b0ccca243e3e3afa2c180f7238"),
    "SDARTSDARTSOptimizer/errors_3.json": (66616, "189ce7b75169c18c42062a5d22966508b204a44a7ff45971999cb633b2239ae3"),
    "SDARTSDARTSOptimizer/log_0.txt": (191541, "d0f0266757c8d0ade4225b4253fc813123b531b49ea9f069b20b67d3e3c1e0f0"),
    "SDARTSDARTSOptimizer/log_1.txt": (191565, "7dcbc1c04b831e0120564d2d875c19bcaabf24b9c59085be4f11494e5e28d40d"),
    "SDARTSDARTSOptimizer/log_2.txt": (191580, "99cf760784c24d8a1404d7bf8c0ac8e1c737af438f2193d1d1c5efd6fd3db238"),
    "SDARTSDARTSOptimizer/log_3.txt": (191528, "8df12f96295a5a7cd36b043b3a4d46c250f7a1cded1dbd1e7a13f53d21023dcf"),
    "SDARTSGDASOptimizer/errors_1.json": (66715, "26e5e034ca672208c2cf737890a9bb87c2ea724759e45857aae087d1de8678a1"),
    "SDARTSGDASOptimizer/errors_2.json": (66887, "6723e77b92337a7931e289797233d6081d32d776d055b6f485ebcc4eac582f99"),
    "SDARTSGDASOptimizer/errors_3.json": (66808, "cfee33f39bf59b0a2cf2e74ba5ad586824d9c827fac3b6bf936f5826cf0d7703"),
    "SDARTSGDASOptimizer/errors_4.json": (66734, "99b7d64ef12f2a57474d747721e41a4459f29b0d4272886f190db50e253504f0"),
    "SDARTSGDASOptimizer/log_1.txt": (193906, "22fa23e22f6aee9af4fd3aee33f5b64013283fbfeef97382d2e7e2ef607f50a8"),
    "SDARTSGDASOptimizer/log_2.txt": (194059, "978fbe70e21b33f675168138d0628d41c4f80f91db3e2b36bf89805bf2108af1"),
    "SDARTSGDASOptimizer/log_3.txt": (193980, "17d71689a405ad2e8725938a7958123b813ed4a8325ae023e22da93f679828b2"),
    "SDARTSGDASOptimizer/log_4.txt": (193913, "af82cd403a44fef1421332d6db116c6c26e81c7421bd74e721e5f8de5ab2297c"),
    "SDARTSPCDARTSOptimizer/errors_0.json": (69008, "df08a65641d744b24dd9dbede7b57d2a38183d7df49d7f79101aa9854c60f58b"),
    "SDARTSPCDARTSOptimizer/errors_1.json": (68067, "5efecc7b7e26abc812cae7e24e71928471f6e6fa9d9e1171cc2ca8688324d7cc"),
    "SDARTSPCDARTSOptimizer/errors_2.json": (68605, "a7b2f7ddbc99cad6d9dc63fa08fac12e06194d6d642ecae0d551863159aeda71"),
    "SDARTSPCDARTSOptimizer/errors_3.json": (67282, "05d6f8112416bda7800072e8859e3e06a1b33d4f29e63627584a2dde8f1310e6"),
    "SDARTSPCDARTSOptimizer/log_0.txt": (193887, "5c7bebd3ba12eef92026354bc0e9115eac06350a7477fa0e840cd9521d4f3f3a"),
    "SDARTSPCDARTSOptimizer/log_1.txt": (192968, "4562fb66b710ee73e4c754f70f1f026285aae9922ae75d1d4af163f91783dd90"),
    "SDARTSPCDARTSOptimizer/log_2.txt": (193487, "76356b92af66463294de3d05308a3881dc77760fda2079984d3dc3c14645124d"),
    "SDARTSPCDARTSOptimizer/log_3.txt": (192182, "159bf462ae76dac1a634de445ed36b486bd44c7e6534512507c2236138b1dc11"),
}
FILES = tuple(RemoteFile("automl/NASLib", _COMMIT, f"{_FOLDER}/{path}", *known) for path, known in _KNOWN.items())

# NASLib's name of a strategy -> ours, the seeds of its runs, and its hyperparameters in our words.
_BASE: dict[str, object] = {
    "epochs": 50,
    "learning_rate": 0.025,
    "weight_decay": 0.0003,
    "arch_rate": 0.0003,
    "arch_decay": 0.001,
}
_DARTS: dict[str, object] = {**_BASE, "order": 1, "batch_size": 64, "final_rate": 0.001, "nesterov": False}
_GDAS: dict[str, object] = {
    **_BASE,
    "batch_size": 64,
    "final_rate": 0.001,
    "first_temperature": 10.0,
    "last_temperature": 0.1,
}
_PC_DARTS: dict[str, object] = {**_BASE, "batch_size": 64, "final_rate": 0.001, "channel_divisor": 4}
STRATEGIES: dict[str, tuple[str, tuple[int, ...], dict[str, object]]] = {
    "DARTSOptimizer": ("darts", (0, 1, 2, 3), {**_DARTS, "batch_size": 96}),
    "GDASOptimizer": ("gdas", (1, 2, 3, 4), _GDAS),
    "PCDARTSOptimizer": ("pc_darts", (0, 1, 2, 3), _PC_DARTS),
    "SDARTSDARTSOptimizer": ("smooth_darts", (0, 1, 2, 3), _DARTS),
    "SDARTSGDASOptimizer": ("smooth_gdas", (1, 2, 3, 4), _GDAS),
    "SDARTSPCDARTSOptimizer": ("smooth_pc_darts", (0, 1, 2, 3), _PC_DARTS),
}
# The words of the logs for them, so that each is checked.
_ARGUMENTS = {
    "epochs": "epochs",
    "learning_rate": "learning_rate",
    "final_rate": "learning_rate_min",
    "weight_decay": "weight_decay",
    "batch_size": "batch_size",
    "arch_rate": "arch_learning_rate",
    "arch_decay": "arch_weight_decay",
    "first_temperature": "tau_max",
    "last_temperature": "tau_min",
    "channel_divisor": "channel_divisor",
}
_SUPERNET = {"images": "cifar10", "program": f"NASLib {_COMMIT[:7]}", "channels": 16, "cells": 5, "cutout": False}


def _recording(theirs: str, runs: Mapping[int, tuple[Moment, ...]]) -> Recording:
    name, _, hyperparameters = STRATEGIES[theirs]
    return Recording(name, BENCHMARK, hyperparameters, _SUPERNET, _MACHINE, runs)


TABLES = tuple(f"recorded/{file_name(_recording(theirs, {}))}" for theirs in STRATEGIES)


def convert(paths: Mapping[str, Path], target: Path) -> None:
    """Write a recording for each strategy beside ``target``, the first of them."""
    known = wheel.columns()
    recordings = []
    for theirs, (_, seeds, hyperparameters) in STRATEGIES.items():
        runs = {}
        for seed in seeds:
            result = json.loads(paths[f"{_FOLDER}/{theirs}/errors_{seed}.json"].read_text(encoding="utf-8"))
            log = paths[f"{_FOLDER}/{theirs}/log_{seed}.txt"].read_text(encoding="utf-8")
            what = f"{theirs}, seed {seed}"
            _check_log(what, result, log, {**hyperparameters, "seed": seed})
            _check_records(what, result["arch_eval"], known)
            cells = [SPACE.parse(record["arch"]) for record in result["arch_eval"]]
            runs[seed] = tuple(map(Moment, cells, result["runtime"]))
        recordings.append(_recording(theirs, runs))
    for recording in recordings:
        write_recording(recording, target.parent)


def _check_log(what: str, result: dict[str, Any], log: str, settings: Mapping[str, object]) -> None:
    """Hold the JSON file against the log: settings, cells, and seconds between the time stamps."""
    arguments = ast.literal_eval(log.partition("Args: ")[2].partition("\n")[0])
    for name, value in settings.items():
        theirs = _ARGUMENTS.get(name, name)
        if theirs in arguments:
            _require(arguments[theirs] == value, f"{what}: {theirs} is {arguments[theirs]} in its log, not {value}")
    seconds = [
        end - start for start, end in zip(_moments(log, r"epoch \d+ lr "), _moments(log, "train_acc "), strict=False)
    ]
    cells = re.findall(r"epoch \d+, arch \{'arch': '([^']*)'", log)[:EPOCHS]
    _require(len(result["runtime"]) == len(cells) == EPOCHS, f"{what}: not {EPOCHS} epochs")
    _require(cells == [record["arch"] for record in result["arch_eval"]], f"{what}: log and JSON differ in cells")
    off = np.abs(np.array(seconds[:EPOCHS]) - result["runtime"]).max()
    _require(off < 0.2, f"{what}: log and JSON differ by {off:.1f} seconds in an epoch")


def _moments(log: str, event: str) -> Iterator[float]:
    """The time stamps of the lines with an event."""
    for stamp in re.findall(rf"^(\S+ \S+) {event}", log, flags=re.MULTILINE):
        yield datetime.strptime(stamp, "%Y-%m-%d %H:%M:%S,%f").timestamp()


def _check_records(what: str, records: list[dict[str, Any]], known: Mapping[str, NDArray[np.float64]]) -> None:
    """Hold what NASLib found in the table for the cells against the table: the strings are read in the right order."""
    for text, record in {record["arch"]: record for record in records}.items():
        cell = SPACE.parse(text)
        counted = parameters(np.array([cell.choices]), classes=10)[0]
        _require(round(1e6 * record["cifar10-valid"]["params (MB)"]) == counted, f"{what}: parameters of {text}")
        for theirs, task in (("cifar10-valid", "cifar10"), ("cifar100", "cifar100")):
            repeats = 100.0 * known[f"{task}/valid_accuracy"][SPACE.index(cell)]
            repeats = repeats[~np.isnan(repeats)]
            some = itertools.chain.from_iterable(itertools.combinations(repeats, n) for n in range(1, len(repeats) + 1))
            found = record[theirs]["valid_accuracy"]
            _require(any(abs(np.mean(r) - found) < 1e-5 for r in some), f"{what}: {task} accuracy of {text}")


def _require(holds: object, what: str) -> None:
    if not holds:
        raise CorruptData(f"{NAME}: {what}. Nothing was recorded.")
