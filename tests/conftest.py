"""Fixtures shared by all tests. Sockets are limited to loopback (pyproject.toml)."""
