"""Search spaces of published benchmarks."""
