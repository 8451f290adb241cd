"""Fixtures for every test file."""

from exported import exported

__all__ = ["exported"]
