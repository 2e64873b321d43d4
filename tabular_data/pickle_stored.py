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
        self._highest = _SMALL - 1  # of the numbers from 256 on
        self._places = 0

    def begin(self) -> None:
        """A new pickle: containers of those before are in reach no more."""
        self._places = 0
        self._kinds = self._kinds.translate(_FORGOTTEN)

    def add(self, kind: int, number: int, at: int) -> int:
        """Store a thing, ``at`` a byte of the pickle; the small number that it is given."""
        kinds, place = self._kinds, number
        if number > self.before + at + _SMALL:
            raise Refused(f"numbers an object {number:,} at byte {at:,}, where there cannot be so many")
        if self.renumbers and number >= _SMALL:
            place = self._small.setdefault(number, _SMALL + len(self._small))
            self._highest = max(self._highest, number)
        if place < len(kinds):
            kinds[place] = kind
            return place
        if place > len(kinds):
            self.counts = False
            kinds += bytes((_ABSENT,)) * (place - len(kinds))
        kinds.append(kind)
        return place

    def add_next(self, kind: int) -> None:
        """Store a thing by the next number."""
        if not self.counts:
            raise Damaged("it counts its objects in two ways")
        self._kinds.append(kind)

    def add_texts(self, count: int) -> None:
        """Store texts by the next numbers; only where it `counts`."""
        self._kinds += bytes((TEXT,)) * count

    def find(self, number: int) -> tuple[int, int]:
        """The small number and the kind of what was stored."""
        place = number
        if self.renumbers and number >= _SMALL:
            place = self._small.get(number, len(self._kinds))
        kind = self._kinds[place] if place < len(self._kinds) else _ABSENT
        if kind >= CONTAINER:
            if kind == _ABSENT:
                raise Damaged(f"object {number:,} is not there")
            self._places += 1
            if kind == _ELSEWHERE or self._places > PLACES:
                raise Refused(f"has containers in more than {PLACES} further places")
        return place, kind

    def add_row(self, numbers: list[int], at: int) -> list[int] | None:
        """Store texts by these numbers, if they are new and follow one another; their small numbers."""
        first, count = numbers[0], len(numbers)
        begin = max(_SMALL + len(self._small), len(self._kinds))
        if not self.renumbers or first <= self._highest or numbers != list(range(first, first + count)):
            return None
        if first > self.before + at or begin != _SMALL + len(self._small):
            return None
        small = list(range(begin, begin + count))
        self._small.update(zip(numbers, small, strict=True))
        self._highest = numbers[-1]
        self._kinds += bytes((_ABSENT,)) * (begin - len(self._kinds)) + bytes((TEXT,)) * count
        return small

    def find_row(self, numbers: list[int]) -> list[int] | None:
        """The small numbers of these objects, if all are texts."""
        kinds, beyond = self._kinds, len(self._kinds)
        if self.renumbers:
            numbers = [n if n < _SMALL else self._small.get(n, beyond) for n in numbers]
        return numbers if all(n < beyond and kinds[n] == TEXT for n in numbers) else None

    def keeping(self, numbers: Iterable[int]) -> tuple[Stored, dict[int, int]]:
        """These objects only, and their former small numbers by those that they have now."""
        kept, former = Stored(renumbers=True), {}
        for number in numbers:
            place = number if number < _SMALL else self._small.get(number, len(self._kinds))
            if place < len(self._kinds) and self._kinds[place] != _ABSENT:
                former[kept.add(self._kinds[place], number, number)] = place
        return kept, former
