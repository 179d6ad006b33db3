"""Benchmarks: each a ratio to a peer or a limit, both measured in the same run."""
