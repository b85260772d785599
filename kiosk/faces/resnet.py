"""dlib's face network, as `face_recognition` brings it, as ONNX: the same embedding in a tenth of the time.

The wheel's dlib computes without much use of the processor's vectors; onnxruntime needs a tenth of the time for
the same numbers (a test holds the two together). Only the embedding network is read out of the package: its
68-point predictor, which is not for commercial use, is never loaded.

The file is dlib's own serialisation. An integer is a byte with its length (and the sign in bit 7), then its bytes,
little-endian; a tensor is its version (2), four dimensions and 32-bit floats; a float outside a tensor is mantissa
and exponent. Layers stand in the order of computation, each under its name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

SIDE = 150  # pixels of the square chip
EMBEDDING = 128

Weights = npt.NDArray[np.float32]
_LAYER = re.compile(rb"con_4|affine_|fc_2|input_rgb_image_sized")


class FormatError(ValueError):
    """The bytes are not dlib's face network."""


@dataclass(frozen=True)
class Convolution:
    """A convolution with the affine layer behind it folded in. No padding where the stride is 2, as in dlib."""

    filters: Weights  # (out, in, height, width)
    bias: Weights
    stride: int

    @property
    def padding(self) -> int:
        return self.filters.shape[2] // 2 if self.stride == 1 else 0


@dataclass(frozen=True)
class Network:
    mean: Weights  # of red, green and blue; 0 to 255
    convolutions: tuple[Convolution, ...]
    projection: Weights  # (channels, embedding)


def read_network(data: bytes) -> Network:
    """The network of dlib_face_recognition_resnet_model_v1.dat. Raises FormatError."""
    try:
        return _read(data)
    except (IndexError, ValueError, StopIteration) as error:
        raise FormatError(f"not dlib's face network: {error}") from None


def _read(data: bytes) -> Network:
    mean = np.zeros(3, dtype=np.float32)
    convolutions: list[Convolution] = []
    projection: Weights | None = None
    at, channels = 0, 3
    raw: tuple[Weights, int, int, int] | None = None
    while (found := _LAYER.search(data, at)) is not None:
        name, at = found.group(), found.end()
        if name == b"input_rgb_image_sized":
            for colour in range(3):
                mantissa, at = _integer(data, at)
                exponent, at = _integer(data, at)
                mean[colour] = mantissa * 2.0**exponent
            continue
        if name == b"fc_2":
            _, at = _integer(data, at)  # outputs
            _, at = _integer(data, at)  # inputs
        parameters, at = _tensor(data, at)
        if name == b"con_4":
            out, at = _integer(data, at)
            height, at = _integer(data, at)
            width, at = _integer(data, at)
            stride, at = _integer(data, at)
            if parameters.size != out * (channels * height * width + 1):
                raise ValueError("a convolution of another size than expected")
            raw = (parameters, out, height, stride)
        elif name == b"affine_":
            if raw is None or parameters.size != 2 * raw[1]:
                raise ValueError("an affine layer without its convolution")
            filters, out, side, stride = raw
            gamma, beta = parameters[:out], parameters[out:]
            kernel = filters[:-out].reshape(out, channels, side, side) * gamma[:, None, None, None]
            convolutions.append(Convolution(kernel, filters[-out:] * gamma + beta, stride))
            channels, raw = out, None
        else:
            projection = parameters.reshape(channels, EMBEDDING)
    if projection is None or len(convolutions) != 29:
        raise ValueError(f"{len(convolutions)} convolutions instead of 29")
    return Network(mean, tuple(convolutions), projection)


def _integer(data: bytes, at: int) -> tuple[int, int]:
    length = data[at] & 0x0F
    if length > 8:
        raise ValueError("an integer of more than eight bytes")
    value = int.from_bytes(data[at + 1 : at + 1 + length], "little")
    return (-value if data[at] & 0x80 else value), at + 1 + length


def _tensor(data: bytes, at: int) -> tuple[Weights, int]:
    version, at = _integer(data, at)
    size = 1
    for _ in range(4):
        dimension, at = _integer(data, at)
        size *= dimension
    end = at + 4 * size
    if version != 2 or size < 1 or end > len(data):
        raise ValueError("a tensor that does not fit")
    return np.frombuffer(data[at:end], dtype="<f4").astype(np.float32), end


# ONNX: protocol buffers of a graph (github.com/onnx/onnx, onnx.proto3), the few messages that are needed


def _varint(value: int) -> bytes:
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def _number(tag: int, value: int) -> bytes:
    return _varint(tag << 3) + _varint(value)


def _bytes(tag: int, value: bytes) -> bytes:
    return _varint(tag << 3 | 2) + _varint(len(value)) + value


def _text(tag: int, value: str) -> bytes:
    return _bytes(tag, value.encode())


def _initializer(name: str, values: npt.NDArray[np.float32] | npt.NDArray[np.int64]) -> bytes:
    kind = 1 if values.dtype == np.float32 else 7
    dimensions = b"".join(_number(1, size) for size in values.shape)
    little = values.astype(values.dtype.newbyteorder("<"))
    return _bytes(5, dimensions + _number(2, kind) + _text(8, name) + _bytes(9, little.tobytes()))


def _node(kind: str, inputs: tuple[str, ...], output: str, **attributes: tuple[int, ...]) -> bytes:
    parts = b"".join(_text(1, name) for name in inputs) + _text(2, output) + _text(4, kind)
    for name, values in attributes.items():
        body = _text(1, name) + b"".join(_number(8, value) for value in values) + _number(20, 7)
        parts += _bytes(5, body)
    return _bytes(1, parts)


def _value(tag: int, name: str, *sizes: int) -> bytes:
    shape = _bytes(1, _text(2, "n")) + b"".join(_bytes(1, _number(1, size)) for size in sizes)
    tensor = _number(1, 1) + _bytes(2, shape)
    return _bytes(tag, _text(1, name) + _bytes(2, _bytes(1, tensor)))


class _Graph:
    def __init__(self) -> None:
        self.parts = bytearray()
        self._count = 0

    def constant(self, values: npt.NDArray[np.float32] | npt.NDArray[np.int64]) -> str:
        self._count += 1
        self.parts += _initializer(f"c{self._count}", values)
        return f"c{self._count}"

    def add(self, kind: str, *inputs: str, **attributes: tuple[int, ...]) -> str:
        self._count += 1
        self.parts += _node(kind, inputs, f"t{self._count}", **attributes)
        return f"t{self._count}"

    def convolve(self, layer: Convolution, source: str) -> str:
        return self.add(
            "Conv",
            source,
            self.constant(layer.filters),
            self.constant(layer.bias),
            strides=(layer.stride, layer.stride),
            pads=(layer.padding,) * 4,
        )

    def padded(self, source: str, channels: int, pixels: int) -> str:
        """Zeros behind the last channel, row and column: how dlib adds tensors of different sizes."""
        if not channels and not pixels:
            return source
        pads = np.array([0, 0, 0, 0, 0, channels, pixels, pixels], dtype=np.int64)
        return self.add("Pad", source, self.constant(pads))


def onnx_model(network: Network) -> bytes:
    """The network as an ONNX model: `chips` (n, 3, 150, 150), RGB 0 to 255, to `embeddings` (n, 128)."""
    graph = _Graph()
    first, *blocks = network.convolutions
    # (x - mean) / 256, folded into one subtraction and one multiplication
    mean = graph.constant(network.mean.reshape(1, 3, 1, 1))
    scale = graph.constant(np.full((1, 1, 1, 1), 1 / 256, dtype=np.float32))
    flow = graph.add("Mul", graph.add("Sub", "chips", mean), scale)
    flow = graph.add("Relu", graph.convolve(first, flow))
    flow = graph.add("MaxPool", flow, kernel_shape=(3, 3), strides=(2, 2))
    side = ((SIDE - 7) // 2 + 1 - 3) // 2 + 1
    channels = first.filters.shape[0]
    for one, two in zip(blocks[::2], blocks[1::2], strict=True):
        through = graph.convolve(two, graph.add("Relu", graph.convolve(one, flow)))
        out, beside = two.filters.shape[0], flow
        if one.stride == 2:
            beside = graph.add("AveragePool", flow, kernel_shape=(2, 2), strides=(2, 2))
            narrow, side = (side - 3) // 2 + 1, (side - 2) // 2 + 1
            through = graph.padded(through, 0, side - narrow)
        beside = graph.padded(beside, out - channels, 0)
        flow, channels = graph.add("Relu", graph.add("Add", through, beside)), out
    pooled = graph.add("Flatten", graph.add("GlobalAveragePool", flow))
    graph.parts += _node("MatMul", (pooled, graph.constant(network.projection)), "embeddings")
    whole = bytes(graph.parts) + _text(2, "dlib_face_recognition_resnet_v1")
    whole += _value(11, "chips", 3, SIDE, SIDE) + _value(12, "embeddings", EMBEDDING)
    opset = _bytes(8, _number(2, 13))
    return _number(1, 8) + _text(2, "corridor") + _bytes(7, whole) + opset
