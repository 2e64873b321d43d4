"""The real training back-end (empty in this version: no benchmark trains yet)."""
