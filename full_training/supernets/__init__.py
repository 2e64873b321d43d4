"""Networks that hold all architectures of a space with shared weights."""
