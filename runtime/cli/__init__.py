"""The command line: ``bulkhead run | check | why | analyze | journal``.

Results go to standard output, everything for people to standard error. Errors are one line each,
with the cure; tracebacks go to the run's log. Modules that a command needs are imported by it: a
``--help`` should not wait for numpy.
"""

import os
import sys
from collections.abc import Sequence

from cyclopts import CycloptsError

from actors.errors import BulkheadError, ConfigError, Problem
from runtime.cli import asking as asking
from runtime.cli import control as control
from runtime.cli import daemon as daemon
from runtime.cli import journal as journal
from runtime.cli import running as running
from runtime.cli.app import app, fail
from runtime.observe.result import ExitCode


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; every error is told in one line."""
    try:
        code = app(arguments)
    except CycloptsError as error:
        return fail(f"{' '.join(str(error).split())} See bulkhead --help.", ExitCode.USAGE)
    except ConfigError as error:
        for problem in sorted(error.problems, key=_line):
            fail(str(problem))
        return ExitCode.USAGE
    except BulkheadError as error:
        return fail(str(error))
    except KeyboardInterrupt:
        return fail("interrupted", ExitCode.INTERRUPTED)
    except BaseExceptionGroup as group:
        if group.subgroup(KeyboardInterrupt) is None:
            raise
        return fail("interrupted", ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # whoever read our output has gone; there is nobody to tell, not even at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.FAILED
    except OSError as error:
        return fail(f"{error.filename}: {error.strerror}")
    return code if isinstance(code, int) else ExitCode.GOOD


def _line(problem: Problem) -> int:
    """Return the line of a file that a problem is about, 0 for the file as a whole."""
    line = problem.file.rpartition(":")[2]
    return int(line) if line.isdigit() else 0
