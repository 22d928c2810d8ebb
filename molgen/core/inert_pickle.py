"""Reads the plain data out of a pickle stream without unpickling it: nothing is imported, nothing is called.

Some published reference files (the statistics of MOSES, for one) exist only as pickles. A pickle is a program for
a small stack machine, and its danger is that ``GLOBAL`` imports any name and ``REDUCE`` calls it. Here the opcodes
come from the standard library's disassembler (``pickletools.genops``, which never executes anything) and a stack
machine of ours in which a global is only its *name* (:class:`Name`), a call is only a *record* of callee and
arguments (:class:`Call`), and state is only attached to that record. A hostile file can therefore at worst produce
strange records, which the converters below refuse. Arrays are rebuilt with ``numpy.frombuffer`` from numeric dtypes
only (and tables of them): ``ndarray.__setstate__`` is never reached, and object arrays (which would hold raw
pointers) are rejected. An object of a foreign class is its attributes in a plain dict (:func:`attributes`).
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np

from molgen.core.errors import DataError


@dataclass(frozen=True)
class Name:
    """A global that the stream asked to import; it stays a name."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass
class Call:
    """A call that the stream asked to make; it stays a record, ``state`` is what BUILD wanted to set on the result."""

    callee: Any
    args: tuple[Any, ...]
    state: Any = None
    items: dict[Any, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Stored:
    """A reference to something that is kept beside the stream (``BINPERSID``); it stays a reference."""

    reference: Any


class _Mark:
    """The stack marker."""


_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_EMPTY: dict[str, Callable[[], Any]] = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}
_LITERALS = frozenset(
    {"INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"}
    | {"UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "STRING", "BINSTRING", "SHORT_BINSTRING"}
    | {"BINBYTES", "SHORT_BINBYTES", "BINBYTES8"}
)
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def read_inert(stream: IO[bytes], source: str = "pickle") -> Any:
    """Return the data of the pickle in ``stream`` as builtins, :class:`Name` and :class:`Call` records.

    Raises:
        DataError: the stream is damaged or uses an opcode that plain data has no need of.
    """
    machine = _Machine()
    try:
        for opcode, argument, _ in pickletools.genops(stream):
            machine.step(opcode.name, argument)
    except DataError:
        raise
    except (ValueError, IndexError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{source}: not a readable pickle of plain data ({error}); fetch the file again"
        ) from error
    if len(machine.stack) != 1:
        raise DataError(f"{source}: the pickle ends with {len(machine.stack)} values instead of one")
    return machine.stack[0]


class _Machine:
    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def pop_to_mark(self) -> list[Any]:
        stack = self.stack
        position = len(stack) - 1
        while not isinstance(stack[position], _Mark):
            position -= 1
            if position < 0:
                raise DataError("pickle: a mark is missing; the file is damaged")
        items = stack[position + 1 :]
        del stack[position:]
        return items

    def step(self, name: str, argument: Any) -> None:
        stack = self.stack
        if name in _LITERALS:
            stack.append(argument)
        elif name in ("BINPUT", "LONG_BINPUT", "PUT"):
            self.memo[int(argument)] = stack[-1]
        elif name == "MEMOIZE":
            self.memo[len(self.memo)] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET", "GET"):
            stack.append(self.memo[int(argument)])
        elif name == "MARK":
            stack.append(_Mark())
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in _EMPTY:
            stack.append(_EMPTY[name]())
        elif name in _TUPLES:
            count = _TUPLES[name]
            parts = tuple(stack[-count:])
            del stack[-count:]
            stack.append(parts)
        elif name == "TUPLE":
            stack.append(tuple(self.pop_to_mark()))
        elif name in ("APPENDS", "APPEND"):
            items = self.pop_to_mark() if name == "APPENDS" else [stack.pop()]
            stack[-1].extend(items)
        elif name in ("SETITEMS", "SETITEM"):
            flat = self.pop_to_mark() if name == "SETITEMS" else [stack.pop(-2), stack.pop()]
            target = stack[-1].items if isinstance(stack[-1], Call) else stack[-1]
            target.update(zip(flat[::2], flat[1::2], strict=True))
        elif name == "GLOBAL":
            stack.append(Name(*argument.split(" ", 1)))
        elif name == "STACK_GLOBAL":
            attribute = stack.pop()
            stack.append(Name(stack.pop(), attribute))
        elif name in ("REDUCE", "NEWOBJ"):
            arguments = stack.pop()
            stack.append(Call(stack.pop(), arguments))
        elif name == "BINPERSID":
            stack.append(Stored(stack.pop()))
        elif name == "BUILD":
            state = stack.pop()
            stack[-1].state = state
        elif name not in ("PROTO", "FRAME", "STOP"):
            raise DataError(f"pickle: opcode {name} has no place in a file of plain data; nothing was read")


def to_array(record: Any) -> np.ndarray:
    """Return the numeric numpy array that a recorded ``ndarray`` reconstruction describes.

    Raises:
        DataError: the record is not such an array, its dtype is not numeric, or its bytes do not fit its shape.
    """
    if not (
        isinstance(record, Call) and isinstance(record.callee, Name) and record.callee.name == "_reconstruct"
    ):
        raise DataError(f"expected a numpy array in the pickle, found {type(record).__name__}")
    if not (isinstance(record.state, tuple) and len(record.state) == 5):
        raise DataError("a numpy array in the pickle has no state")
    _, shape, dtype_record, fortran, data = record.state
    dtype = _to_dtype(dtype_record)
    raw = to_bytes(data)
    count = int(np.prod(shape, dtype=np.int64))
    if len(raw) != count * dtype.itemsize:
        raise DataError(f"a numpy array of shape {shape} and type {dtype} comes with {len(raw)} bytes")
    return np.frombuffer(raw, dtype=dtype).reshape(shape, order="F" if fortran else "C")


def _to_dtype(record: Any) -> np.dtype:
    is_dtype = isinstance(record, Call) and isinstance(record.callee, Name) and record.callee.name == "dtype"
    if not is_dtype or not record.args or not isinstance(record.args[0], str):
        raise DataError("a numpy array in the pickle has an unknown type")
    code, state = record.args[0], record.state if isinstance(record.state, tuple) else ()
    if code[:1] == "V" and len(state) >= 6 and isinstance(state[4], dict):
        return _to_record_dtype(state)
    byte_order = state[1] if len(state) > 1 else "="
    if code[:1] not in "biuf" or not code[1:].isdigit() or byte_order not in ("<", ">", "|", "="):
        raise DataError(f"a numpy array in the pickle has type {code!r}; only plain numbers are read")
    return np.dtype(("" if byte_order == "|" else byte_order) + code)


def _to_record_dtype(state: tuple[Any, ...]) -> np.dtype:
    """A table type: named columns of plain numbers, each at its offset (the nodes of a decision tree are such)."""
    names, fields, itemsize = state[3], state[4], state[5]
    try:
        return np.dtype(
            {
                "names": [str(name) for name in names],
                "formats": [_to_dtype(fields[name][0]) for name in names],
                "offsets": [int(fields[name][1]) for name in names],
                "itemsize": int(itemsize),
            }
        )
    except (TypeError, ValueError, KeyError, IndexError) as error:
        raise DataError(f"a numpy table in the pickle has a damaged type ({error})") from error


def attributes(record: Any, classname: str) -> dict[str, Any]:
    """Return what a recorded instance of class ``classname`` would have had as attributes; no class is involved.

    Raises:
        DataError: the record is something else, or its state is no plain dict of names.
    """
    if not (isinstance(record, Call) and isinstance(record.callee, Name) and record.callee.name == classname):
        found = record.callee if isinstance(record, Call) else type(record).__name__
        raise DataError(f"expected an object of class {classname} in the pickle, found {found}")
    if not isinstance(record.state, dict) or not all(isinstance(key, str) for key in record.state):
        raise DataError(f"the {classname} in the pickle has no attributes")
    return record.state


def to_bytes(record: Any) -> bytes:
    """Return a byte string, also when Python 2 compatibility stored it as ``_codecs.encode(text, 'latin1')``."""
    if isinstance(record, bytes):
        return record
    if isinstance(record, str):  # protocol 0-2 byte strings come out of the disassembler as latin-1 text
        return record.encode("latin1")
    if (
        isinstance(record, Call)
        and record.callee == Name("_codecs", "encode")
        and record.args[1:] == ("latin1",)
    ):
        return record.args[0].encode("latin1")
    raise DataError("expected bytes in the pickle")


def to_counter(record: Any) -> dict[str, int]:
    """Return a recorded ``collections.Counter`` of strings (or a plain dict) as a dict.

    Raises:
        DataError: something else, or keys and counts that are not text and numbers.
    """
    counts = record
    if isinstance(record, Call) and record.callee == Name("collections", "Counter"):
        counts = record.args[0] if record.args else record.items
    if not isinstance(counts, dict) or not all(
        isinstance(k, str) and type(v) is int for k, v in counts.items()
    ):
        raise DataError("expected a counter of strings in the pickle")
    return counts
