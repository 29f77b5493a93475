"""Hypothesis without a stopwatch: a loaded machine is no fault of ours."""

from hypothesis import settings

settings.register_profile("storage", deadline=None)
settings.load_profile("storage")
