"""The objects that a pickle stores to use them again: what kind each is, and where it may stand."""

from __future__ import annotations

from collections.abc import Iterable

from nassim.tabular_data.pickle_tokens import CONTAINER, TEXT, Damaged, Refused

PLACES = 4  # where containers stand again in a pickle; the released frames of pandas have one
_ABSENT, _ELSEWHERE = 255, 254  # not there; a container of an earlier pickle
_FORGOTTEN = bytes(kind if kind < CONTAINER or kind == _ABSENT else _ELSEWHERE for kind in range(256))
_SMALL = 256  # numbers below it keep in a byte, and are not changed


class Stored:
    """Kinds of stored objects by their numbers.

    renumbers: give them small ones, for the pieces of a pickle that has millions.
    """

    def __init__(self, *, renumbers: bool = False) -> None:
        self.renumbers = renumbers
        self.counts = not renumbers  # whether they have had the numbers 0, 1, 2, ...
        self.before = 0  # bytes before the pickle
        self._small: dict[int, int] = {}  # numbers from 256 on -> small ones
        self._kinds = bytearray()
        self._places = 0

    def begin(self) -> None:
        """A new pickle: containers of those before are in reach no more."""
        self._places = 0
        self._kinds = self._kinds.translate(_FORGOTTEN)

    def small(self, number: int, at: int) -> int:
        """The number that an object is given, ``at`` a byte of the pickle."""
        if number > self.before + at + _SMALL:
            raise Refused(f"numbers an object {number:,} at byte {at:,}, where there cannot be so many")
        if number < _SMALL or not self.renumbers:
            return number
        return self._small.setdefault(number, _SMALL + len(self._small))

    def add(self, kind: int, number: int | None) -> int:
        """Store a thing, by a small number or the next; how many numbers are new."""
        if number is None:
            number = len(self._kinds)
            if not self.counts:
                raise Damaged("it counts its objects in two ways")
        new = max(number + 1 - len(self._kinds), 0)
        self.counts &= new <= 1
        self._kinds += bytes((_ABSENT,)) * new
        self._kinds[number] = kind
        return new

    def add_texts(self, count: int) -> None:
        """Store texts by the next numbers; only where it `counts`."""
        self._kinds += bytes((TEXT,)) * count

    def kind(self, number: int) -> int:
        """The kind of what was stored, by a small number."""
        kind = self._kinds[number] if number < len(self._kinds) else _ABSENT
        if kind == _ABSENT:
            raise Damaged(f"object {number:,} is not there")
        if kind >= CONTAINER:
            self._places += 1
            if kind == _ELSEWHERE or self._places > PLACES:
                raise Refused(f"has containers in more than {PLACES} further places")
        return kind

    def known(self, number: int) -> int:
        """The small number of an object; of one that is not there, one that nothing has."""
        return self._small.get(number, number if number < _SMALL else len(self._kinds))

    def keeping(self, numbers: Iterable[int]) -> tuple[Stored, dict[int, int]]:
        """These objects only, and their former small numbers by those that they have now."""
        kept, former = Stored(renumbers=True), {}
        for number in numbers:
            place = self.known(number)
            if place < len(self._kinds) and self._kinds[place] != _ABSENT:
                now = kept.small(number, number)
                kept.add(self._kinds[place], now)
                former[now] = place
        return kept, former
