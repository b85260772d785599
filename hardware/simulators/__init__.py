"""Simulated devices, each at the lowest layer that its real driver speaks to."""
