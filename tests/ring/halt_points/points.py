"""A halt before one call of all, tried twice: with nobody in trouble, and with somebody."""

from pathlib import Path
from tempfile import TemporaryDirectory
from traceback import format_exc

from tests.ring.halts import Disturbance, halted, scene
from tests.ring.test_kill_switch import CRASHES, check


def disturbance_at(moment: int) -> Disturbance:
    """Return which actor crashes after the halt, and where: each in turn."""
    actor = CRASHES[moment % len(CRASHES)]
    return Disturbance(actor=actor, call=1 + moment % 4, after=moment % 2 == 0)


def failure_at(moment: int) -> str | None:
    """Return what went wrong when it was halted before a call; None if nothing."""
    for trouble in (Disturbance(), disturbance_at(moment)):
        try:
            with TemporaryDirectory() as folder:
                check(halted(scene(), Path(folder), moment, trouble))
        except Exception:  # noqa: BLE001 - whatever it is, it is told
            return f"halted before call {moment}, {trouble}\n{format_exc(limit=-3)}"
    return None
