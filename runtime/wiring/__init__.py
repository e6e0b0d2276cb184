"""From a configuration to actors that are wired together."""

from runtime.wiring.components import check as check
