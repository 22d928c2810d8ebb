"""Stop signals: a flag first, an abort on the second Ctrl-C, and the handlers of before afterwards."""

# ruff: noqa: PT012  (what a signal does to the lines of a block is what is tested)
from __future__ import annotations

import os
import signal
import threading

import pytest

from molgen.core.errors import Interrupted
from molgen.run.interrupt import CallsDropped, Stop, stop_signals


def send(name: str) -> None:
    signal.raise_signal(getattr(signal, name))


@pytest.mark.parametrize(("name", "exit_code"), [("SIGTERM", 75), ("SIGUSR1", 75), ("SIGINT", 130)])
def test_signal_sets_the_flag_and_means_an_exit_code(
    name: str, exit_code: int, capsys: pytest.CaptureFixture[str]
):
    with stop_signals() as stop:
        assert stop.requested is None
        stop.raise_if_requested()
        send(name)
        assert stop.requested == name
        with pytest.raises(Interrupted, match="molgen resume x") as caught:
            stop.raise_if_requested("molgen resume x")
    assert caught.value.exit_code == exit_code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert f"{name} received: saving and stopping" in captured.err


def test_second_ctrl_c_aborts_at_once():
    with pytest.raises(KeyboardInterrupt), stop_signals():
        send("SIGINT")
        send("SIGINT")


def test_second_sigterm_does_not_break_the_saving():
    with stop_signals() as stop:
        send("SIGTERM")
        send("SIGTERM")
        send("SIGUSR1")
        assert stop.requested == "SIGTERM"


def test_ctrl_c_after_sigterm_is_not_yet_an_abort():
    with pytest.raises(KeyboardInterrupt), stop_signals() as stop:
        send("SIGTERM")
        send("SIGINT")
        assert stop.requested == "SIGINT"
        send("SIGINT")


def test_handlers_are_put_back_also_after_an_error():
    numbers = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)
    before = [signal.getsignal(number) for number in numbers]
    with pytest.raises(ZeroDivisionError), stop_signals():
        assert signal.getsignal(signal.SIGTERM) != before[0]
        raise ZeroDivisionError
    assert [signal.getsignal(number) for number in numbers] == before


def test_droppable_block_ends_at_once_and_only_the_first_time():
    with stop_signals() as stop:
        reached = False
        with pytest.raises(CallsDropped, match="SIGTERM"), stop.droppable():
            send("SIGTERM")
            reached = True
        assert not reached
        send("SIGTERM")  # while saving: nothing happens
        with pytest.raises(CallsDropped), stop.droppable():
            raise AssertionError("must not start")


def test_except_exception_of_a_user_does_not_swallow_the_drop():
    with pytest.raises(CallsDropped), stop_signals() as stop, stop.droppable():
        try:
            send("SIGTERM")
        except Exception:
            pytest.fail("swallowed")


def test_signal_outside_the_droppable_block_raises_nothing():
    with stop_signals() as stop:
        with stop.droppable():
            pass
        send("SIGTERM")
        assert stop.requested == "SIGTERM"


def test_outside_the_main_thread_only_requests_work():
    seen: list[str | None] = []

    def work() -> None:
        with stop_signals() as stop:
            stop.request("SIGTERM")
            stop.request("SIGINT")
            seen.append(stop.requested)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == ["SIGTERM"]
    assert signal.getsignal(signal.SIGTERM) in (signal.SIG_DFL, signal.getsignal(signal.SIGTERM))


def test_interrupt_button_of_jupyter_saves_first(monkeypatch: pytest.MonkeyPatch):
    # ipykernel puts default_int_handler in place before each cell; ours takes over for the run, then gives it back
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with stop_signals() as stop:
            os.kill(os.getpid(), signal.SIGINT)
            assert stop.requested == "SIGINT"
        with pytest.raises(KeyboardInterrupt):
            send("SIGINT")
    finally:
        signal.signal(signal.SIGINT, before)


def test_signal_during_a_write_to_stderr_is_not_lost(monkeypatch: pytest.MonkeyPatch):
    def reentrant(message: str) -> None:
        raise RuntimeError("reentrant call inside <_io.BufferedWriter name='<stderr>'>")

    monkeypatch.setattr("molgen.run.interrupt.say", reentrant)
    stop = Stop()
    stop._handle(signal.SIGTERM, None)
    assert stop.requested == "SIGTERM"
