"""A browser at a service with a hall of fictional travellers."""

from __future__ import annotations

import pytest
from flask import Flask
from officer_scene import Console


@pytest.fixture
def console(app: Flask) -> Console:
    """A browser at the sign-in page."""
    return Console(app)
