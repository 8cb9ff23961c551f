"""The version, written by the build from package.json."""

__version__ = "0.1.0"
