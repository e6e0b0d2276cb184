"""Where market rows may come from, and how such a source is built from its options."""

from collections.abc import Callable, Mapping

import attrs

from actors.actor import Source
from actors.errors import ConfigError
from actors.feeds.replay import ReplayFeed, ReplayOptions
from actors.feeds.synthetic import SyntheticFeed
from actors.feeds.synthetic_options import SyntheticOptions
from actors.model.instrument import Instruments
from runtime.config.model import Options
from runtime.config.problems import Problems
from runtime.config.structure import structure
from runtime.kernel.determinism import seeded_numpy

SourceOptions = ReplayOptions | SyntheticOptions

_KINDS: Mapping[str, type[SourceOptions]] = {
    "replay": ReplayOptions,
    "synthetic": SyntheticOptions,
}


@attrs.frozen(kw_only=True)
class Recipe:
    """What a source is built from.

    Attributes:
        options: What is replayed or made up.
        seed: The run's.
        name: What its chance is named after: equal names, equal markets.
    """

    options: SourceOptions
    seed: int
    name: str

    def made(self, table: Instruments) -> Source:
        """Return a source whose instruments are those of a table; it adds its own.

        Raises:
            ConfigError: If there is no file, or one cannot be read.
            ValueError: If its options do not go together with the instruments that are known.
        """
        if isinstance(self.options, ReplayOptions):
            return ReplayFeed(table, self.options)
        return SyntheticFeed(table, self.options, seeded_numpy(self.seed, self.name))


def source_options(
    kind: str, options: Options, key: str, problems: Problems, batch_rows: int
) -> SourceOptions | None:
    """Return a source's options, None after noting what is wrong with them.

    Args:
        kind: The name of its type.
        options: As they were read.
        key: Where they stand.
        problems: Where problems are noted.
        batch_rows: How many rows its slices have at most.
    """
    cls = problems.choose(_KINDS, kind, f"{key}.type")
    if cls is None:
        return None
    return structure(cls, options, key, problems, {"batch_rows": batch_rows})


def try_out(make: Callable[[], Source], key: str, problems: Problems) -> None:
    """Build a source once, and note what is wrong with what its options name."""
    try:
        make()
    except ConfigError as error:
        for problem in error.problems:
            where = f"{key}.{problem.key}"
            problems.add(
                where, expected=problem.expected, found=problem.found, nearest=problem.nearest
            )
    except ValueError as error:
        problems.add(key, expected="options that go together", found=str(error))
