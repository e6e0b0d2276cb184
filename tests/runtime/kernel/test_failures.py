"""Failures in words."""

import types

import pytest
import trio

from runtime.kernel.failures import is_cancelled_only, report_failure


def raised(error: BaseException) -> BaseException:
    """Return an exception that has been raised from here, so that it has a traceback."""
    try:
        raise error
    except BaseException as caught:  # noqa: BLE001 - handed back
        return caught


def test_a_plain_exception_is_named_with_its_text() -> None:
    report = report_failure(raised(ValueError("no such side")))
    assert (report.kind, report.text) == ("ValueError", "no such side")


def test_where_is_the_innermost_frame_with_a_short_file_name() -> None:
    report = report_failure(raised(ValueError()))
    file, function, line = report.where.split(":")
    assert (file, function) == ("kernel/test_failures.py", "raised")
    assert int(line) == raised.__code__.co_firstlineno + 3


def test_an_exception_that_was_never_raised_has_no_place() -> None:
    assert report_failure(ValueError()).where == "unknown"


def test_groups_are_unwrapped_to_their_first_leaf() -> None:
    inner = ExceptionGroup("inner", [KeyError("first"), ValueError("second")])
    report = report_failure(ExceptionGroup("outer", [inner, TypeError("third")]))
    assert (report.kind, report.text) == ("KeyError", "'first'")


async def cancelled() -> trio.Cancelled:
    caught: list[trio.Cancelled] = []
    with trio.CancelScope() as scope:
        scope.cancel()
        try:
            await trio.lowlevel.checkpoint()
        except trio.Cancelled as error:
            caught.append(error)
            raise
    return caught[0]


async def test_cancellations_in_a_group_are_passed_over() -> None:
    group = BaseExceptionGroup(
        "outer", [BaseExceptionGroup("inner", [await cancelled()]), ValueError("the cause")]
    )
    assert report_failure(group).text == "the cause"
    assert not is_cancelled_only(group)


async def test_only_cancellations_are_recognised_however_deep() -> None:
    lone = await cancelled()
    nested = BaseExceptionGroup("outer", [BaseExceptionGroup("inner", [lone]), lone])
    assert is_cancelled_only(lone)
    assert is_cancelled_only(nested)
    assert not is_cancelled_only(ValueError())
    assert report_failure(lone).kind == "Cancelled"


def test_memory_addresses_are_blanked() -> None:
    report = report_failure(ValueError(f"cannot use {object()!r}"))
    assert report.text == "cannot use <object object at 0x...>"


def test_long_texts_are_cut() -> None:
    report = report_failure(ValueError("x" * 10_000))
    assert len(report.text) == 500
    assert report.text.endswith("...")


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("broken")


def test_an_exception_without_a_printable_text_is_still_reported() -> None:
    report = report_failure(Unprintable())
    assert report.kind == "Unprintable"
    assert "RuntimeError" in report.text


@pytest.mark.parametrize("file", ["/home/someone/project/core.py", "core.py", "<string>"])
def test_no_report_has_an_absolute_path(file: str) -> None:
    namespace = types.ModuleType("made")
    exec(compile("def fail():\n    raise ValueError", file, "exec"), namespace.__dict__)
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - it has no text
        namespace.fail()
    assert report_failure(caught.value).where.endswith(":fail:2")
    assert not report_failure(caught.value).where.startswith("/")
