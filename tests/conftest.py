"""Settings for all tests."""

from hypothesis import settings

settings.register_profile("planar", deadline=None)
settings.load_profile("planar")
