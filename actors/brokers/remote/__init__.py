"""The broker for a venue that is somewhere else: behind a link, with answers that may get lost."""
