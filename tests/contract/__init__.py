"""The contract of EDI as tests: what any server that calls itself one is held to."""
