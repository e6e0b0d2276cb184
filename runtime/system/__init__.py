"""One run from its start to its end."""

from runtime.system.session import run_config as run_config
