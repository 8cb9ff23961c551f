"""Talking to an EDI: any WMLA, or the engine of this package. Nothing above here knows which."""

from .answers import InferenceAnswer
from .edi_client import EdiClient
from .engine_stop import stop_engine
from .environments import LOCAL, Environment, EnvironmentSet
from .local_engine import EngineAddress, LocalEngine, default_store

__all__ = [
    "LOCAL",
    "EdiClient",
    "EngineAddress",
    "Environment",
    "EnvironmentSet",
    "InferenceAnswer",
    "LocalEngine",
    "default_store",
    "stop_engine",
]
