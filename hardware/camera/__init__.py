"""Cameras: frames in, BGR arrays out."""
