"""The EDI-compatible serving engine: its own process, reached only over REST."""
