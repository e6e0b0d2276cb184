"""What goes for every test."""

from hypothesis import settings

# the same examples in every run: a test that passes today does not fail by chance tomorrow
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")
