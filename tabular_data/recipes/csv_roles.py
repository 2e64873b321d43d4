"""What the name of a column says that it holds: ``val_acc``, ``test_error %``, ``time_s``, ``seed``."""

from __future__ import annotations

import re
from typing import NamedTuple

# The words of a name, in small letters; "%" is one of them.
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|%")
EPOCH = {"epoch", "epochs"}
REPEAT = {"seed", "seeds", "repeat", "repeats", "rep", "replicate", "fold"}
REPEAT_ALONE = {"run", "trial"}  # "run" names a repeat, "run time" does not
SPLIT = {"split", "subset", "phase", "partition"}
SPLITS = {
    "valid": {"val", "valid", "validation", "dev", "development"},
    "test": {"test", "tst", "testing"},
    "train": {"train", "training", "trn"},
}
_TIME = {"time", "duration", "seconds", "secs", "sec", "minutes", "mins", "min", "hours", "hrs", "hour", "runtime"}
_TIME |= {"walltime", "elapsed", "cost"}
UNITS = {
    "seconds": {"s", "sec", "secs", "second", "seconds"},
    "minutes": {"m", "min", "mins", "minute", "minutes"},
    "hours": {"h", "hr", "hrs", "hour", "hours"},
}
# What trainings are judged by, in the order in which one is chosen where there are several.
METRICS = {
    "accuracy": {"acc", "accuracy", "accuracies", "top1"},
    "error": {"err", "error"},
    "loss": {"loss", "nll", "xent"},
    "perplexity": {"ppl", "perplexity"},
    "auc": {"auc", "auroc"},
    "f1": {"f1"},
    "iou": {"iou", "miou"},
    "ssim": {"ssim"},
    "psnr": {"psnr"},
    "bleu": {"bleu"},
    "rmse": {"rmse"},
    "mse": {"mse"},
    "mae": {"mae"},
    "score": {"score", "reward"},
}
LESS = {"error", "loss", "perplexity", "rmse", "mse", "mae"}  # is better
# Measured of an architecture, not chosen; the unit that the name gives goes with it.
_PROPERTY = {"params", "parameters", "flops", "macs", "madds", "latency", "energy", "memory", "throughput", "inference"}
_PROPERTY_UNITS = {"ms", "us", "s", "mb", "kb", "gb", "mj", "j", "m", "k", "g", "w"}
_LABEL = {"id", "index", "idx", "hash", "uuid", "date", "timestamp", "host", "hostname", "path", "file", "unnamed"}
_LABEL |= {"note", "notes", "comment", "user", "gpu"}
ARCHITECTURE = {"arch", "architecture", "config", "genotype", "encoding", "cell", "choices"}


class Role(NamedTuple):
    """What a column holds.

    kind: epoch, repeat, split, cost, metric, property, label, architecture, or nothing: a decision perhaps.
    name: of the metric.
    split: of the metric: valid, test, train, or nothing where the name does not say.
    unit: of a cost (seconds, minutes, hours), a metric (``%``) or a property; nothing where the name does not say.
    per_epoch: the cost is said to be that of one epoch.
    """

    kind: str = ""
    name: str = ""
    split: str = ""
    unit: str = ""
    per_epoch: bool = False


def words_of(name: str) -> list[str]:
    """The words of a column's name.

    >>> words_of("valAcc_12"), words_of("test_error %"), words_of("top1")
    (['val', 'acc', '12'], ['test', 'error', '%'], ['top1'])
    """
    words = [word.lower() for word in _WORD.findall(name[:200])]
    for known in ("top1", "f1"):
        for i in range(len(words) - 1):
            if words[i] + words[i + 1] == known:
                words[i : i + 2] = [known]
                break
    return words


def role_of(name: str) -> Role:
    """What a column of that name holds, as far as the name says.

    >>> role_of("val_acc")
    Role(kind='metric', name='accuracy', split='valid', unit='', per_epoch=False)
    >>> time, latency, width = map(role_of, ("time_s", "latency_ms", "width"))
    >>> time.unit, role_of("minutes_per_epoch").per_epoch, latency.kind, width.kind
    ('seconds', True, 'property', '')
    """
    words = words_of(name)
    said = set(words)
    if said & _PROPERTY:
        return Role("property", unit=next((word for word in words if word in _PROPERTY_UNITS), ""))
    for metric, known in METRICS.items():
        if said & known:
            split = next((split for split, of in SPLITS.items() if said & of), "")
            return Role("metric", metric, split, "%" if said & {"%", "percent", "pct", "percentage"} else "")
    if said & _TIME:
        unit = next((unit for unit, of in UNITS.items() if said & of), "")
        return Role("cost", unit="" if "ms" in said else unit, per_epoch=bool(said & EPOCH))
    if said & EPOCH:
        return Role("epoch")
    if said & REPEAT or (len(words) == 1 and said & REPEAT_ALONE) or said == {"run", "id"}:
        return Role("repeat")
    if len(words) == 1 and said & SPLIT:
        return Role("split")
    if said & _LABEL or not words:
        return Role("label")
    return Role("architecture") if said & ARCHITECTURE else Role()
