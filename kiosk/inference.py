"""Networks on ONNX Runtime: one thread each, and nothing said to anybody.

ONNX Runtime's packages of 2026 keep an identifier of the machine and send what they were used for to their maker,
unless the environment says otherwise before the library is loaded. So it is loaded here and nowhere else (an
import contract says so).
"""

from __future__ import annotations

import os
from typing import Any


def network(model: bytes, *, keep_memory: bool = True) -> Any:
    """An `onnxruntime.InferenceSession` of a model's bytes, on the calling thread's core.

    `keep_memory` False: what the largest input took is given back after each run; for inputs of many sizes.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = keep_memory
    options.log_severity_level = 3  # errors: it warns of what a model's author may mend, not an operator
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
