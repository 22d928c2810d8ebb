"""Progress: live in a terminal, plain lines in a log, silent when asked, never on stdout."""

from __future__ import annotations

import io
import sys
import types

import pytest

from molgen.run import progress as module
from molgen.run.progress import Mode, Progress, detect_mode, duration, hushed, say


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock() -> Clock:
    return Clock()


def run(stream: io.StringIO, clock: Clock, mode: Mode | None = None, *, quiet: bool = False) -> str:
    with Progress(100, "molecules", "sampling", stream=stream, mode=mode, quiet=quiet, clock=clock) as bar:
        for _ in range(10):
            clock.now += 10
            bar.advance(10, score=0.51234)
    return stream.getvalue()


def test_batch_log_gets_a_line_every_half_minute_and_one_at_the_end(clock: Clock):
    lines = run(io.StringIO(), clock).splitlines()
    assert lines == [
        "sampling: 30 of 100 molecules (30 %), 1/s, 1 min 10 s left, score 0.512",
        "sampling: 60 of 100 molecules (60 %), 1/s, 40 s left, score 0.512",
        "sampling: 90 of 100 molecules (90 %), 1/s, 10 s left, score 0.512",
        "sampling: 100 of 100 molecules in 1 min 40 s, 1/s, score 0.512",
    ]


def test_terminal_redraws_one_line(clock: Clock):
    text = run(Terminal(), clock)
    assert text.count("\n") == 1
    assert text.endswith("\r\x1b[2Ksampling: 100 of 100 molecules in 1 min 40 s, 1/s, score 0.512\n")


def test_terminal_is_not_redrawn_for_each_molecule(clock: Clock):
    stream = Terminal()
    with Progress(1000, stream=stream, clock=clock) as bar:
        for _ in range(1000):
            clock.now += 0.001
            bar.advance()
    assert stream.getvalue().count("\x1b[2K") <= 12


def test_quiet_is_silent(clock: Clock):
    assert run(Terminal(), clock, quiet=True) == ""


def test_a_bar_deep_down_hears_that_its_caller_is_quiet(clock: Clock):
    stream = io.StringIO()
    with hushed(), Progress(2, stream=stream, clock=clock) as bar:
        bar.advance(2)
    with hushed(False), Progress(2, stream=stream, clock=clock):
        pass
    assert len(stream.getvalue().splitlines()) == 1


def test_nothing_goes_to_stdout(clock: Clock, capsys: pytest.CaptureFixture[str]):
    with Progress(2, clock=clock) as bar:
        clock.now += 60
        bar.advance(2)
    say("a message")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "a message" in captured.err


def test_rate_follows_the_last_half_minute_so_that_a_slow_start_does_not_spoil_it(clock: Clock):
    bar = Progress(10_000, stream=io.StringIO(), mode="terminal", clock=clock)
    clock.now += 300  # loading
    bar.advance(1)
    for _ in range(60):
        clock.now += 1
        bar.advance(10)
    assert bar.rate() == pytest.approx(10)


def test_unknown_total_shows_no_time_left(clock: Clock):
    stream = io.StringIO()
    with Progress(None, "rows", "reading", stream=stream, clock=clock) as bar:
        clock.now += 40
        bar.advance(80_000)
    assert stream.getvalue().splitlines() == [
        "reading: 80,000 rows, 2,000/s",
        "reading: 80,000 rows in 40 s, 2,000/s",
    ]


def test_message_appears_above_the_live_line(clock: Clock):
    stream = Terminal()
    with Progress(10, stream=stream, clock=clock) as bar:
        clock.now += 1
        bar.advance(5)
        say("checkpoint saved", stream)
        after = stream.getvalue()
    clear = "\r\x1b[2K"
    assert f"{clear}checkpoint saved\n{clear}5 of 10 molecules" in after
    say("over", stream)
    assert stream.getvalue().endswith("\nover\n")


def test_bar_that_ends_by_an_error_is_forgotten(clock: Clock):
    with pytest.raises(ZeroDivisionError), Progress(10, stream=Terminal(), clock=clock):
        raise ZeroDivisionError
    assert module._active == []


def test_notebook_updates_one_display(clock: Clock, monkeypatch: pytest.MonkeyPatch):
    shown: list[str] = []

    class Handle:
        def update(self, content: dict, raw: bool) -> None:
            shown[-1] = content["text/plain"]

    def display(content: dict, raw: bool, display_id: bool) -> Handle:
        shown.append(content["text/plain"])
        return Handle()

    class ZMQInteractiveShell:
        pass

    ipython = types.ModuleType("IPython")
    ipython.get_ipython = ZMQInteractiveShell  # type: ignore[attr-defined]
    inner = types.ModuleType("IPython.display")
    inner.display = display  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", inner)
    assert detect_mode(io.StringIO()) == "notebook"
    stream = io.StringIO()
    run(stream, clock)
    assert shown == ["sampling: 100 of 100 molecules in 1 min 40 s, 1/s, score 0.512"]
    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59.6, "1 min 00 s"), (185, "3 min 05 s"), (7620, "2 h 07 min")]
)
def test_durations_read_well(seconds: float, text: str):
    assert duration(seconds) == text
