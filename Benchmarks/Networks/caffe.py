"""Reads what the benchmark needs of Caffe's formats: prototxt as fields, caffemodel as blobs.

Not a general reader: it takes the current format (`layer`, packed floats), which is what sparsec and
its example weights write.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Union

Value = Union[str, int, float, bool, "Message"]

TOKEN = re.compile(
    r"""\s+|\#[^\n]*|(?P<string>"[^"]*"|'[^']*')|(?P<mark>[{}:])|(?P<word>[^\s{}:"'#]+)""")


class Message:
    """The fields of a message: every field is a list, in the order of the file."""

    def __init__(self) -> None:
        self.fields: dict[str, list[Value]] = {}

    def all(self, name: str) -> list[Value]:
        return self.fields.get(name, [])

    def one(self, name: str, default: Value | None = None) -> Value | None:
        values = self.all(name)
        return values[-1] if values else default

    def message(self, name: str) -> Message:
        """A nested message; an empty one if the file has none."""
        value = self.one(name)
        return value if isinstance(value, Message) else Message()


def tokens(text: str) -> Iterator[str]:
    position = 0
    while position < len(text):
        match = TOKEN.match(text, position)
        if not match:
            raise ValueError(f"prototxt: cannot read {text[position:position + 20]!r}")
        position = match.end()
        if match.lastgroup:
            yield match.group()


def scalar(token: str) -> Value:
    if token[0] in "\"'":
        return token[1:-1]
    if token in ("true", "false"):
        return token == "true"
    for kind in (int, float):
        try:
            return kind(token)
        except ValueError:
            pass
    return token


def parse_prototxt(text: str) -> Message:
    """The net as a message; raises ValueError where the text is no prototxt."""
    root = Message()
    stack = [root]
    stream = tokens(text)
    for token in stream:
        if token == "}":
            stack.pop()
            continue
        following = next(stream)
        if following == ":":
            following = next(stream)
        values = stack[-1].fields.setdefault(token, [])
        if following == "{":
            nested = Message()
            values.append(nested)
            stack.append(nested)
        else:
            values.append(scalar(following))
    if len(stack) != 1:
        raise ValueError("prototxt: braces do not match")
    return root


def input_of(net: Message) -> tuple[str, list[int]]:
    """The first input's blob and extents, from an Input layer or from the older fields."""
    for layer in net.all("layer"):
        if isinstance(layer, Message) and layer.one("type") == "Input":
            dims = layer.message("input_param").message("shape").all("dim")
            return str(layer.one("top")), [int(d) for d in dims]
    dims = net.all("input_dim") or net.message("input_shape").all("dim")
    return str(net.one("input")), [int(d) for d in dims]


@dataclass
class Blob:
    """Extents, and float32 values as little-endian bytes."""

    shape: list[int] = field(default_factory=list)
    data: memoryview = field(default_factory=lambda: memoryview(b""))


@dataclass
class LayerWeights:
    """The blobs of a layer, and the whole layer as it is encoded in the file."""

    name: str
    blobs: list[Blob]
    encoded: memoryview


LAYER, NAME, BLOBS, DATA, SHAPE, DIM = 100, 1, 7, 5, 7, 1


def varint(data: memoryview, at: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        byte = data[at]
        at += 1
        result |= (byte & 127) << shift
        if byte < 128:
            return result, at
        shift += 7


def encode_varint(value: int) -> bytes:
    result = bytearray()
    while value > 127:
        result.append(value & 127 | 128)
        value >>= 7
    result.append(value)
    return bytes(result)


def wire_fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Number and value of each field of an encoded message."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        match key & 7:
            case 0:
                value, at = varint(data, at)
                yield key >> 3, value
                continue
            case 1:
                end = at + 8
            case 2:
                length, at = varint(data, at)
                end = at + length
            case 5:
                end = at + 4
            case kind:
                raise ValueError(f"caffemodel: wire type {kind}")
        if end > len(data):
            raise ValueError("caffemodel: the file is cut short")
        yield key >> 3, data[at:end]
        at = end


def parse_blob(data: memoryview) -> Blob:
    blob = Blob()
    for number, value in wire_fields(data):
        if number == DATA:
            blob.data = value
        elif number == SHAPE:
            for inner, dims in wire_fields(value):
                at = 0
                while inner == DIM and at < len(dims):
                    extent, at = varint(dims, at)
                    blob.shape.append(extent)
    return blob


def read_caffemodel(path: Path) -> list[LayerWeights]:
    layers = []
    for number, value in wire_fields(memoryview(path.read_bytes())):
        if number != LAYER:
            continue
        name, blobs = "", []
        for inner, content in wire_fields(value):
            if inner == NAME:
                name = bytes(content).decode()
            elif inner == BLOBS:
                blobs.append(parse_blob(content))
        layers.append(LayerWeights(name, blobs, value))
    return layers


def write_caffemodel(path: Path, layers: list[LayerWeights]) -> None:
    with path.open("wb") as file:
        for layer in layers:
            file.write(encode_varint(LAYER << 3 | 2) + encode_varint(len(layer.encoded)))
            file.write(layer.encoded)


def replace_layers(original: Path, replacement: Path, result: Path) -> None:
    """Writes the layers of `original`, those that `replacement` has taken from there."""
    better = {layer.name: layer for layer in read_caffemodel(replacement) if layer.blobs}
    write_caffemodel(result, [better.get(l.name, l) for l in read_caffemodel(original)])
