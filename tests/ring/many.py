"""What processes that only do many runs have in common."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from multiprocessing import get_context
from typing import TypeVar

from loguru import logger

from runtime.system import system

_WORKERS = 2

Task = TypeVar("Task")
Result = TypeVar("Result")


def be_quiet() -> None:
    """Spare the runs of this process what they log, and the full collections of garbage."""
    logger.remove()
    vars(system)["steady_collector"] = nullcontext


def in_processes(work: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Result]:
    """Yield the results of many tasks, in any order, from quiet processes of their own.

    ``work`` must be a function of a module that is not run as a script.
    """
    with get_context("spawn").Pool(_WORKERS, be_quiet) as pool:
        yield from pool.imap_unordered(work, tasks, 8)
