"""The cell space of NAS-Bench-101, its classes, costs, encodings and hashes."""
