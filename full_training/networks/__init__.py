"""Networks as torch modules, one by one and many at once."""
