"""What all tests share. Sockets are limited to loopback (pyproject.toml)."""

import os

from hypothesis import HealthCheck, settings

# No property has a time limit: how long an example takes is the machine's business, and the benchmarks'. Every run
# tries the same examples, so that a change is judged by what it changed; HYPOTHESIS_PROFILE=search looks for
# others.
settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("corridor", settings.get_profile("search"), derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "corridor"))
