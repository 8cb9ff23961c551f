"""Imported by kernels ahead of ``redhareapi``; no name of it is used by them."""

__version__ = "1.0"
