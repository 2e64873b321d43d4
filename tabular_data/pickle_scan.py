"""What a pickle would do, found out before it is run.

The unpickler of Python believes what a file says of sizes and numbers, and nests and hashes whatever it is told to:
a few bytes can take the memory, the time, or the stack. This scanner goes through the instructions once. It keeps the
kind of what each would put on the stack, adds up what it would take, and refuses

- sizes beyond the end of the file, numbers of stored objects beyond their place in it, instructions that nobody writes;
- keys (of dictionaries and sets) that are neither texts nor numbers, nor a pair of a text and one of these;
- containers in more than a few places (what they hold can be multiplied without end), and too deep in each other;
- more memory than the length of the file allows.

It must follow the unpickler exactly: where the two could differ, it refuses.
"""

from __future__ import annotations

from collections.abc import Callable

from nassim.tabular_data.pickle_rows import ROWS, take
from nassim.tabular_data.pickle_stored import Stored
from nassim.tabular_data.pickle_tokens import (
    CONTAINER,
    DEPTH,
    LONGEST_KEY,
    NAME,
    NUMBER,
    PAIR,
    SIZED,
    STARTS_NUMBER,
    TEXT,
    VALUE,
    Damaged,
    Refused,
    around,
    check_keys,
    numbers_at,
)

ROOM = 48 << 20  # bytes of memory that any pickle may take ...
ROOM_FOR_A_BYTE = 12  # ... and for each of its own bytes
_LONGEST_LINE = 1000  # bytes

# What may be taken of memory, as a bound: by an instruction (its place on the stack, and in a container), and by what
# it makes. Time is bounded by the same.
_STEP, _NUMBER, _OBJECT, _TEXT, _TABLE, _ENTRY, _CALL, _STORED = 64, 56, 72, 120, 300, 50, 400, 20

_NUMBERED = {ord("h"): 2, ord("q"): 2, ord("j"): 5, ord("r"): 5}  # bytes of those with the number of a stored object
_NOTHING = CONTAINER + 1  # the kind of the empty tuple: what is made of it may be a container that is filled later
_OPERANDS = {ord("a"): 1, ord("s"): 2, 0x85: 1, 0x86: 2, 0x87: 3}  # taken from the top, by the others to the mark


class Scan:
    """Checks pickles one after the other, which share stored objects that are no containers; or just one.

    stored: what those before have stored.
    """

    def __init__(self, stored: Stored | None = None) -> None:
        self._stored = stored or Stored()
        self._stack = bytearray()  # kinds
        self._marks: list[int] = []  # heights of the stack
        self._bytes = b""
        self._content = bytearray()  # with other numbers
        self._spent = 0

    def check(self, content: bytes) -> bytes:
        """The pickle as it may be run, from its first byte to its stop; `Refused` or `Damaged` where it may not."""
        stored, stack = self._stored, self._stack
        stored.begin()
        stack.clear()
        self._marks.clear()
        self._bytes = content
        if stored.renumbers:
            self._content = bytearray(content)
        self._spent = at = slow = 0  # up to ``slow``: one by one
        end = len(content)
        room = ROOM + ROOM_FOR_A_BYTE * end
        while at < end:
            opcode = content[at]
            if opcode in STARTS_NUMBER:
                at, count = numbers_at(content, at)
                stack += b"\1" * count
                self._spent += _NUMBER * count
            elif opcode in ROWS and at >= slow and (rows := take(content, at, stored, self._content)):
                slow, kinds = rows
                if kinds:
                    stack += kinds
                    texts = kinds.count(TEXT)
                    self._spent += (_TEXT + _STORED) * texts + _NUMBER * (len(kinds) - texts) + 4 * (slow - at)
                    at = slow
            elif opcode in _NUMBERED:
                begin, at = at + 1, at + _NUMBERED[opcode]
                number = int.from_bytes(content[begin:at], "little")
                if opcode < 0x70:
                    small, kind = stored.find(number)
                    stack.append(kind)
                    self._spent += _STEP
                else:
                    small = stored.add(self._top(), number, at)
                    self._spent += _STEP + _STORED
                if small != number:
                    self._content[begin:at] = small.to_bytes(4, "little")
            elif opcode in SIZED:
                width, kind, longest = SIZED[opcode]
                begin = at + 1 + width
                size = int.from_bytes(content[at + 1 : begin], "little")
                at = begin + size
                if at > end:
                    raise Damaged(f"{size:,} bytes begin at byte {begin:,} of {end:,}")
                stack.append(kind if size <= longest else VALUE)
                self._spent += _STEP + _TEXT + 4 * size
            elif opcode == 0x2E:  # stop
                self._top()
                return bytes(self._content) if stored.renumbers else content
            else:
                step = _STEPS.get(opcode)
                if step is None:
                    what = content[at : at + 1]
                    raise Refused(f"has at byte {at:,} the instruction {what!r}, which plain data do not need")
                self._spent += _STEP
                at = step(self, at + 1)
            if self._spent > room:
                raise Refused(f"would take more than {room:,} bytes of memory, too many for its {end:,} bytes")
        raise Damaged("it has no end")

    # The stack

    def _top(self) -> int:
        """The kind on top, above the last mark."""
        if len(self._stack) <= (self._marks[-1] if self._marks else 0):
            raise Damaged("it takes what is not there")
        return self._stack[-1]

    def _pop(self) -> int:
        self._top()
        return self._stack.pop()

    def _operands(self, at: int) -> bytes:
        """Takes what an instruction works on: so many from the top, or all above the last mark, and the mark."""
        count = _OPERANDS.get(self._bytes[at - 1])
        if count is not None:
            return bytes([self._pop() for _ in range(count)])[::-1]
        if not self._marks:
            raise Damaged("it closes what it has not opened")
        mark = self._marks.pop()
        kinds = bytes(self._stack[mark:])
        del self._stack[mark:]
        return kinds

    def _push(self, kind: int, spent: int) -> None:
        self._stack.append(kind)
        self._spent += spent

    def _fill(self, kinds: bytes) -> None:
        """Put more into the container on top."""
        own = self._top()
        if own < CONTAINER:
            raise Refused("puts something into what is no container")
        if kinds:
            self._stack[-1] = max(own, around(kinds))

    # Instructions: each takes the place behind its opcode and gives that of the next one

    def _mark(self, at: int) -> int:
        if len(self._marks) > DEPTH:
            raise Refused(f"opens more than {DEPTH} containers in each other")
        self._marks.append(len(self._stack))
        return at

    def _empty(self, at: int) -> int:
        opcode = self._bytes[at - 1]
        self._push(_NOTHING if opcode == 0x29 else CONTAINER, _TABLE if opcode == 0x8F else _OBJECT)
        return at

    def _add(self, at: int) -> int:
        """Append, set items, add members: one or many."""
        opcode, kinds = self._bytes[at - 1], self._operands(at)
        if opcode in b"su":
            check_keys(kinds[::2])
            if len(kinds) % 2:
                raise Damaged("a key has no value")
        elif opcode == 0x90:
            check_keys(kinds)
        self._fill(kinds)
        self._spent += 8 * len(kinds) if opcode in b"ae" else _TABLE + _ENTRY * len(kinds)
        return at

    def _make(self, at: int) -> int:
        """Tuples, and the older protocols' lists and dictionaries; frozen sets."""
        opcode, kinds = self._bytes[at - 1], self._operands(at)
        kind = around(kinds)
        if opcode == 0x91:
            check_keys(kinds)
        elif opcode == 0x64:
            check_keys(kinds[::2])
        elif opcode == 0x74 and not kinds:
            kind = _NOTHING
        elif opcode != 0x6C and len(kinds) == 2 and kinds[0] == TEXT and kinds[1] <= NUMBER:
            kind = PAIR
        table = _TABLE + _ENTRY * len(kinds)
        self._push(kind, table if opcode in b"d\x91" else _OBJECT + 8 * len(kinds))
        return at

    def _discard(self, at: int) -> int:
        if self._marks and self._marks[-1] == len(self._stack):
            self._marks.pop()
        else:
            self._pop()
        return at

    def _discard_to_mark(self, at: int) -> int:
        self._operands(at)
        return at

    def _call(self, at: int) -> int:
        """A result that was made of simple values alone is one; one made of nothing is a container to be filled."""
        arguments, function = self._pop(), self._pop()
        if function < NAME or (arguments < CONTAINER and arguments != PAIR):
            raise Refused("calls what is no name")
        simple = self._bytes[at - 1] == 0x52 and arguments in (PAIR, CONTAINER)
        self._push(VALUE if simple else CONTAINER + 1, _CALL)
        return at

    def _build(self, at: int) -> int:
        state, target = self._pop(), self._top()
        if target in (TEXT, NUMBER, PAIR, NAME) or (target == VALUE and state not in (PAIR, CONTAINER)):
            raise Refused("gives something a state that it cannot have, as of an array of records")
        if target >= CONTAINER:
            self._fill(bytes((state,)))
        self._spent += _CALL
        return at

    def _name(self, at: int) -> int:
        if self._bytes[at - 1] == 0x63:
            at = self._line(self._line(at)[1])[1]
        elif (self._pop(), self._pop()) != (TEXT, TEXT):
            raise Damaged("a name is no text")
        self._push(NAME, _CALL)
        return at

    # Stored objects, where their numbers are not in bytes

    def _store_next(self, at: int) -> int:
        self._stored.add_next(self._top())
        self._spent += _STORED
        return at

    def _by_line(self, at: int) -> int:
        opcode, (number, end) = self._bytes[at - 1], self._line(at, 10)
        if self._stored.renumbers or not number.isdigit():
            raise Damaged(f"object {number!r}")
        if opcode == 0x67:
            self._stack.append(self._stored.find(int(number))[1])
        else:
            self._stored.add(self._top(), int(number), at)
            self._spent += _STORED
        return end

    # Lines, of the oldest protocols

    def _line(self, at: int, longest: int = _LONGEST_LINE) -> tuple[bytes, int]:
        end = self._bytes.find(b"\n", at, at + longest + 1)
        if end < 0:
            raise Damaged(f"the line at byte {at:,} does not end")
        return self._bytes[at:end], end + 1

    def _text_line(self, at: int) -> int:
        line, at = self._line(at, len(self._bytes))
        self._push(TEXT if len(line) <= LONGEST_KEY else VALUE, _TEXT + 4 * len(line))
        return at

    def _number_line(self, at: int) -> int:
        line, end = self._line(at)
        self._push(NUMBER if len(line) <= 16 or self._bytes[at - 1] == 0x46 else VALUE, _TEXT + len(line))
        return end

    # What does nothing

    def _frame(self, at: int) -> int:
        if int.from_bytes(self._bytes[at : at + 8], "little") > len(self._bytes) - at - 8:
            raise Damaged("it is cut off")
        return at + 8

    def _protocol(self, at: int) -> int:
        return at + 1


_STEPS: dict[int, Callable[[Scan, int], int]] = {
    ord(opcode): step
    for opcodes, step in (
        ("(", Scan._mark), ("])}\x8f", Scan._empty), ("aesu\x90", Scan._add), ("tld\x85\x86\x87\x91", Scan._make),
        ("0", Scan._discard), ("1", Scan._discard_to_mark), ("R\x81", Scan._call), ("b", Scan._build),
        ("c\x93", Scan._name), ("\x94", Scan._store_next), ("pg", Scan._by_line),
        ("VS", Scan._text_line), ("ILF", Scan._number_line), ("\x95", Scan._frame), ("\x80", Scan._protocol),
    )
    for opcode in opcodes
}  # fmt: skip
