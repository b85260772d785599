"""Scales: a stable weight in kilograms."""
