"""Rows through a function chunk by chunk, in order, in bounded memory, with as many processes as wanted."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from typing import Any, Generic, TypeVar

from molgen.data.sdf import Row

_AHEAD = 2  # chunks in flight per worker: reading further ahead would only cost memory
_T = TypeVar("_T")


@dataclass(frozen=True)
class Remote(Generic[_T]):
    """What worker processes run instead of the function here: something made once in each, by ``start(*arguments)``."""

    function: Callable[[list[str]], _T]
    start: Callable[..., None]
    arguments: tuple[Any, ...] = ()


def in_order(
    function: Callable[[list[str]], _T],
    rows: Iterable[Row],
    *,
    workers: int = 1,
    chunk: int = 500,
    remote: Remote[_T] | None = None,
) -> Iterator[tuple[list[Row], _T]]:
    """``function`` of the texts of each chunk of rows, in order, with as many spawned processes as ``workers``.

    Memory is bounded by ``chunk`` and ``workers``. ``function`` must be picklable where there are workers, unless
    ``remote`` stands for it there.
    """
    rows = iter(rows)
    parts = iter(lambda: list(islice(rows, chunk)), [])
    if workers <= 1:
        for part in parts:
            yield part, function([row.text for row in part])
        return
    distant = Remote(function, _nothing) if remote is None else remote
    waiting: deque[tuple[list[Row], Future[_T]]] = deque()
    with ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=distant.start, initargs=distant.arguments
    ) as pool:
        try:
            for part in parts:
                waiting.append((part, pool.submit(distant.function, [row.text for row in part])))
                if len(waiting) > _AHEAD * workers:
                    done, future = waiting.popleft()
                    yield done, future.result()
            while waiting:
                done, future = waiting.popleft()
                yield done, future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _nothing() -> None:
    """A worker that needs no start."""
