"""From a configuration to actors that are wired together."""
