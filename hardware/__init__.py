"""Devices behind small protocols; a driver per file; a simulator of each at its lowest layer."""
