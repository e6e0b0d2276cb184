"""Configuration keys of other systems, put into our own words before anything else is read.

- An execution module's ``broker_type``, ``broker_params``, ``order_manager_params``,
  ``simulator_type``, ``simulator_params``, ``engine_type``, ``engine_params``, at the top level.
- ADMF-Trader's ``system``, ``execution``, ``backtest``, ``live_trading`` and ``components``.
- A gateway's ``enable_validation``; its ``enable_risk_checks`` and ``enable_metrics`` are ours too.

They may stand beside our own keys. Where each key stood is kept, so a problem of what was moved
names the line that the user wrote. What has no meaning here (threads, locks) is accepted with a
note; every other key that is not known is a problem.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from runtime.config.document import child_key
from runtime.config.problems import UNKNOWN, Problems, nearest, shown

_MODULE_KEYS = (
    "broker_type",
    "broker_params",
    "order_manager_params",
    "simulator_type",
    "simulator_params",
    "engine_type",
    "engine_params",
)
_SYSTEM_KEYS = ("system", "execution", "backtest", "live_trading", "components")
_MODES = {
    "BACKTEST_SINGLE": "backtest",
    "REPLAY": "replay",
}
_OTHER_MODES = ("BACKTEST_PARALLEL", "OPTIMIZATION", "LIVE_TRADING", "PAPER_TRADING")
_THREAD_MODELS = (
    "SINGLE_THREADED",
    "MULTI_THREADED",
    "PROCESS_PARALLEL",
    "ASYNC_SINGLE",
    "ASYNC_MULTI",
    "MIXED",
)
_VALIDATION = "enable_validation"
_BROKERS = {"SimulatedBroker": "simulated", "PassthroughBroker": "passthrough"}
_ABSENT = object()


def translate(problems: Problems) -> None:
    """Put the document's data into our own keys, noting what cannot be."""
    data = problems.document.data
    if any(key in data for key in _MODULE_KEYS):
        _ExecutionModule(problems).translate()
    if any(key in data for key in _SYSTEM_KEYS):
        _TraderSystem(problems).translate()
    if _VALIDATION in data:
        translator = _Translator(problems)
        translator.put(_VALIDATION, "orders.validation_enabled", translator.take(_VALIDATION))


class _Translator:
    """Takes keys out of a document and puts others in."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        self.data = problems.document.data
        self.origins = problems.document.origins

    def take(self, key: str) -> Any:
        """Return and remove a key of the top level; ``_ABSENT`` if it is not there."""
        return self.data.pop(key, _ABSENT)

    def take_mapping(self, key: str) -> dict[str, Any]:
        """Return and remove a mapping of the top level; an empty one if it is not there."""
        return self.mapping(key, self.take(key))

    def mapping(self, key: str, value: Any) -> dict[str, Any]:
        """Return a value that has to be a mapping; an empty one if it is absent or null."""
        if value is _ABSENT or value is None:
            return {}
        if not isinstance(value, Mapping):
            self.problems.add(key, expected="a mapping", found=shown(value))
            return {}
        return dict(value)

    def put(self, source: str, target: str, value: Any) -> None:
        """Set a dotted key to what stood at ``source``; what is there already stays, and is told.

        Parts of ``target`` are mapping keys, or ``[0]`` for the first item of a list.
        """
        holder: Any = self.data
        steps = target.replace("[0]", ".[0]").split(".")
        for step, following in pairwise(steps):
            holder = _entry(holder, step, [] if following == "[0]" else {})
            if not isinstance(holder, dict | list):
                self.problems.add(source, expected=f"nothing beside {target}", found="both")
                return
        last = steps[-1]
        if last in holder:
            self.problems.add(source, expected=f"nothing beside {target}", found="both")
            return
        holder[last] = value
        self._keep_origin(source, target)

    def _keep_origin(self, source: str, target: str) -> None:
        for key, origin in list(self.origins.items()):
            if key == source or key.startswith((f"{source}.", f"{source}[")):
                self.origins.setdefault(target + key[len(source) :], origin)

    def unknown(self, parent: str, left: Mapping[str, Any], known: Sequence[str]) -> None:
        """Note every key that is left over."""
        for key in left:
            near = nearest(key, known)
            choices = f"one of the keys {', '.join(sorted(known))}" if known else "no keys"
            expected = "a known key" if near else choices
            self.problems.add(
                child_key(parent, key), expected=expected, found=UNKNOWN, nearest=near
            )

    def each(
        self,
        parent: str,
        values: Mapping[str, Any],
        known: Mapping[str, Callable[[str, Any], None]],
    ) -> None:
        """Have each entry of a mapping taken by the function of its name."""
        left = dict(values)
        for name, take in known.items():
            if name in left:
                take(child_key(parent, name), left.pop(name))
        self.unknown(parent, left, list(known))

    def to(self, target: str) -> Callable[[str, Any], None]:
        """Return a function that puts what it is given at ``target``."""
        return lambda source, value: self.put(source, target, value)

    def note(self, source: str, _value: Any) -> None:
        """Accept a key that means nothing here."""
        self.problems.document.notes.append(f"{source}: accepted, but it has no effect here")

    def one_of(self, key: str, value: Any, choices: Mapping[str, Any]) -> Any:
        """Return what a word stands for, or None after noting that it is not known."""
        return self.problems.choose(choices, str(value), key)


def _entry(holder: Any, step: str, fresh: Any) -> Any:
    if step == "[0]":
        if not holder:
            holder.append(fresh)
        return holder[0]
    if isinstance(holder, dict):
        return holder.setdefault(step, fresh)
    return None


class _ExecutionModule(_Translator):
    """``broker_type`` and its like."""

    def translate(self) -> None:
        """Put the seven keys into ``broker`` and ``orders``."""
        self._kinds()
        self.each(
            "broker_params",
            self.take_mapping("broker_params"),
            {
                "commission_rate": self._commission_rate,
                "slippage_rate": self._slippage_rate,
            },
        )
        self.each(
            "order_manager_params",
            self.take_mapping("order_manager_params"),
            {
                "max_order_age_hours": self.to("orders.max_order_age_hours"),
                "max_completed_orders": self.to("orders.max_completed_orders"),
                "validation_enabled": self.to("orders.validation_enabled"),
            },
        )
        self._simulator()
        self.each("engine_params", self.take_mapping("engine_params"), {})

    def _kinds(self) -> None:
        broker = self.take("broker_type")
        if broker is not _ABSENT:
            kinds = {"backtest": "simulated", "passthrough": "passthrough"}
            kind = self.one_of("broker_type", broker, kinds)
            if kind is not None:
                self.put("broker_type", "broker.type", kind)
        simulator, engine = self.take("simulator_type"), self.take("engine_type")
        preset = None
        if simulator is not _ABSENT:
            presets = {"conservative": "conservative", "realistic": "realistic", "custom": None}
            if str(simulator) != "custom":
                preset = self.one_of("simulator_type", simulator, presets)
            if preset is not None:
                self.put("simulator_type", "broker.preset", preset)
        if engine is not _ABSENT:
            engines = {"improved": "", "high_frequency": "high_frequency"}
            fast = self.one_of("engine_type", engine, engines)
            if fast and preset is None:
                self.put("engine_type", "broker.preset", fast)

    def _commission_rate(self, source: str, value: Any) -> None:
        self.put(source, "broker.commission", {"type": "percentage", "rate": value})

    def _slippage_rate(self, source: str, value: Any) -> None:
        self.put(source, "broker.slippage", {"type": "fixed_pct", "price_impact": value})

    def _simulator(self) -> None:
        params = self.take_mapping("simulator_params")
        for kind in ("slippage", "commission"):
            key = f"simulator_params.{kind}_model"
            model = params.pop(f"{kind}_model", None)
            options = params.pop(f"{kind}_params", None)
            if model is None:
                if options is not None:
                    found = f"{kind}_params without it"
                    self.problems.add(key, expected="the name of a model", found=found)
                continue
            given = self.mapping(f"simulator_params.{kind}_params", options)
            self.put(key, f"broker.{kind}", {"type": model, **given})
        known = ["slippage_model", "slippage_params", "commission_model", "commission_params"]
        self.unknown("simulator_params", params, known)


class _TraderSystem(_Translator):
    """ADMF-Trader's sections."""

    def translate(self) -> None:
        """Put the five sections into our own keys."""
        self.each("system", self.take_mapping("system"), {"name": self.to("name")})
        self.each(
            "execution",
            self.take_mapping("execution"),
            {
                "mode": self._mode,
                "thread_model": self._thread_model,
                "thread_pools": self.note,
            },
        )
        if self.take("live_trading") is not _ABSENT:
            expected = "a mode without a venue (backtest, replay)"
            self.problems.add("live_trading", expected=expected, found="live trading")
        components = self.take_mapping("components")
        self.each(
            "components",
            components,
            {
                "data_handler": self._data_handler,
                "strategy": self._strategy,
                "broker": self._broker,
            },
        )
        self.each(
            "backtest",
            self.take_mapping("backtest"),
            {
                "start_date": self.to("feeds[0].from"),
                "end_date": self._end_date,
                "symbols": self.to("feeds[0].assets"),
                "initial_capital": self.to("portfolio.cash"),
            },
        )

    def _end_date(self, source: str, value: Any) -> None:
        """Put the end of a last day, which is the beginning of the next."""
        try:
            end = (date.fromisoformat(str(value)) + timedelta(days=1)).isoformat()
        except ValueError:
            end = value
        self.put(source, "feeds[0].to", end)

    def _mode(self, source: str, value: Any) -> None:
        if value in _OTHER_MODES:
            expected = f"one of {', '.join(_MODES)}: this version has no other"
            self.problems.add(source, expected=expected, found=shown(value))
            return
        mode = self.one_of(source, value, _MODES)
        if mode is not None:
            self.put(source, "mode", mode)

    def _thread_model(self, source: str, value: Any) -> None:
        if self.one_of(source, value, dict.fromkeys(_THREAD_MODELS, True)):
            self.note(source, value)

    def _component(
        self, source: str, value: Any
    ) -> tuple[str | None, dict[str, Any], dict[str, Any]]:
        """Return the class that a component names, its parameters, and what else it says."""
        said = self.mapping(source, value)
        kind = said.pop("class", None)
        if kind is None:
            self.problems.add(f"{source}.class", expected="the name of a class", found="nothing")
        if "thread_safe" in said:
            self.note(f"{source}.thread_safe", said.pop("thread_safe"))
        parameters = self.mapping(f"{source}.parameters", said.pop("parameters", None))
        return (None if kind is None else str(kind)), parameters, said

    def _data_handler(self, source: str, value: Any) -> None:
        kind, parameters, said = self._component(source, value)
        self.unknown(source, said, ["class", "parameters", "thread_safe"])
        if kind is None:
            return
        handlers = {"HistoricalDataHandler": "replay"}
        feed = self.one_of(f"{source}.class", kind, handlers)
        if feed is not None:
            feeds = {"name": "data_handler", "type": feed, "path": "data", **parameters}
            self.put(source, "feeds", [feeds])
            self._keep_origin(f"{source}.parameters", "feeds[0]")

    def _strategy(self, source: str, value: Any) -> None:
        kind, parameters, said = self._component(source, value)
        self.unknown(source, said, ["class", "parameters", "thread_safe"])
        if kind is not None:
            strategy = {"name": "strategy", "type": kind, "parameters": parameters}
            self.put(source, "strategies", [strategy])
            self._keep_origin(f"{source}.parameters", "strategies[0].parameters")
            self._keep_origin(f"{source}.class", "strategies[0].type")

    def _broker(self, source: str, value: Any) -> None:
        kind, parameters, said = self._component(source, value)
        self.unknown(source, said, ["class", "parameters", "thread_safe"])
        if kind is None:
            return
        broker = self.one_of(f"{source}.class", kind, _BROKERS)
        if broker is None:
            return
        self.put(f"{source}.class", "broker.type", broker)
        for name in ("slippage", "commission"):
            key = f"{source}.parameters.{name}"
            model = self.mapping(key, parameters.pop(name, None))
            if model:
                named = {"type": model.pop("model", "fixed"), **model}
                self.put(key, f"broker.{name}", named)
        for name, given in parameters.items():
            self.put(f"{source}.parameters.{name}", f"broker.{name}", given)
