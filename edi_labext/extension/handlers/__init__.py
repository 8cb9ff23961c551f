"""Handlers: read what came, call the service, answer. The rules are in ``base``."""
