"""Configuration: a YAML file becomes values, or everything that is wrong with it at once."""

from runtime.config.describe import describe as describe
from runtime.config.load import build_config as build_config
from runtime.config.load import load_config as load_config
from runtime.config.load import load_rest as load_rest
from runtime.config.load import parse_config as parse_config
from runtime.config.model import BackoffConfig as BackoffConfig
from runtime.config.model import BrokerConfig as BrokerConfig
from runtime.config.model import Component as Component
from runtime.config.model import FeedConfig as FeedConfig
from runtime.config.model import JournalKind as JournalKind
from runtime.config.model import Mode as Mode
from runtime.config.model import PortfolioConfig as PortfolioConfig
from runtime.config.model import RunConfig as RunConfig
from runtime.config.model import StrategyConfig as StrategyConfig
from runtime.config.model import SupervisionConfig as SupervisionConfig
from runtime.config.plain import to_plain as to_plain
from runtime.config.problems import Problems as Problems
from runtime.config.structure import structure as structure
