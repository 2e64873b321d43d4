"""What the values of a recipe must be, and the hash by which recipes with the same values are known."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from nassim.errors import InvalidSetting


def refuse_values(
    name: str, values: Mapping[str, Any], *, counts: Sequence[str], amounts: Sequence[str], shares: Sequence[str]
) -> None:
    """`InvalidSetting` for a count below 1, an amount below 0 or infinite, a share that is not in [0, 1).

    A ``clip`` must be positive and finite, or None: any norm.
    """
    for field in counts:
        if values[field] < 1:
            raise InvalidSetting(f"recipe {name}: {field}={values[field]} must be at least 1.")
    for field in amounts:
        if not 0 <= values[field] < math.inf:
            raise InvalidSetting(f"recipe {name}: {field}={values[field]} must be finite and not negative.")
    for field in shares:
        if not 0 <= values[field] < 1:
            raise InvalidSetting(f"recipe {name}: {field}={values[field]} must be at least 0, below 1.")
    clip = values["clip"]
    if clip is not None and not 0 < clip < math.inf:
        raise InvalidSetting(f"recipe {name}: clip={clip} must be positive and finite, or None.")


def fingerprint(values: Mapping[str, Any]) -> str:
    """A hash of a recipe's values but its name."""
    named = {field: value for field, value in values.items() if field != "name"}
    return hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()
