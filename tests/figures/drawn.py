"""Read what was drawn out of an SVG or PNG."""

from __future__ import annotations

import re
import struct
import xml.etree.ElementTree as ET
import zlib
from dataclasses import dataclass

import numpy as np

SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class Shape:
    """One path of an SVG: its outline, fill, stroke and stroke width."""

    d: str
    fill: str
    stroke: str
    width: str


def root_of(svg: str) -> ET.Element:
    return ET.fromstring(svg)


def shapes(svg: str) -> list[Shape]:
    return [
        Shape(p.get("d", ""), p.get("fill", ""), p.get("stroke", ""), p.get("stroke-width", ""))
        for p in root_of(svg).iter(f"{SVG}path")
    ]


def areas(svg: str) -> list[Shape]:
    """Areas of a map: filled shapes with the white border that only they have."""
    return [s for s in shapes(svg) if s.stroke.upper() == "#FFFFFF" and s.width in {"0.6", "0.35"} and s.fill != "none"]


def texts(svg: str) -> list[str]:
    return ["".join(t.itertext()) for t in root_of(svg).iter(f"{SVG}text")]


def at(transform: str) -> tuple[float, float]:
    found = re.search(r"translate\(([-\d.]+),\s*([-\d.]+)\)", transform or "")
    return (float(found[1]), float(found[2])) if found else (0.0, 0.0)


def text_places(svg: str) -> list[tuple[str, float, float]]:
    """Every text with its place on the whole picture, all groups' shifts added up."""
    found: list[tuple[str, float, float]] = []

    def walk(node: ET.Element, x: float, y: float) -> None:
        dx, dy = at(node.get("transform", ""))
        if node.tag == f"{SVG}text":
            found.append(("".join(node.itertext()), x + dx, y + dy))
        for child in node:
            walk(child, x + dx, y + dy)

    walk(root_of(svg), 0.0, 0.0)
    return found


def png_size(png: bytes) -> tuple[int, int, float]:
    """Width, height, and pixels per inch as the file states them."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    at = png.index(b"pHYs")
    per_metre = struct.unpack(">I", png[at + 4 : at + 8])[0]
    return width, height, per_metre * 0.0254


def pixels(png: bytes) -> np.ndarray:
    """Grey values of a PNG with 8 bits a channel; no library of this project decodes pictures, so this does."""
    width, height, depth, colour = struct.unpack(">IIBB", png[16:26])
    channels = {2: 3, 6: 4}[colour]
    assert depth == 8
    data, at = b"", 8
    while at < len(png):
        length = struct.unpack(">I", png[at : at + 4])[0]
        if png[at + 4 : at + 8] == b"IDAT":
            data += png[at + 8 : at + 8 + length]
        at += 12 + length
    rows = np.frombuffer(zlib.decompress(data), dtype=np.uint8).reshape(height, 1 + width * channels)
    above = np.zeros(width * channels, dtype=np.uint8)
    found = []
    for row in rows:
        above = _unfiltered(int(row[0]), row[1:], above, channels)
        found.append(above)
    picture = np.array(found).reshape(height, width, channels)
    return picture[:, :, :3].mean(axis=2)


def _unfiltered(kind: int, row: np.ndarray, above: np.ndarray, step: int) -> np.ndarray:
    """One row of a PNG without its filter (PNG specification, section 9)."""
    if kind == 0:
        return row.copy()
    if kind == 1:
        return np.cumsum(row.reshape(-1, step), axis=0, dtype=np.uint8).reshape(-1)
    if kind == 2:
        return row + above
    out, line, up = bytearray(len(row)), row.tolist(), above.tolist()
    for i, value in enumerate(line):
        left = out[i - step] if i >= step else 0
        corner = up[i - step] if i >= step else 0
        if kind == 3:
            guess = (left + up[i]) // 2
        else:
            whole = left + up[i] - corner
            a, b, c = abs(whole - left), abs(whole - up[i]), abs(whole - corner)
            guess = left if a <= b and a <= c else (up[i] if b <= c else corner)
        out[i] = (value + guess) & 255
    return np.frombuffer(bytes(out), dtype=np.uint8)


@dataclass(frozen=True)
class Mark:
    """A point of a chart: where it stands and what it looks like."""

    x: float
    y: float
    fill: str
    d: str


def marks(svg: str, *, width: str = "0.9") -> list[Mark]:
    """Points with their places on the whole picture, in the order drawn."""
    return [
        Mark(x, y, node.get("fill", "").upper(), node.get("d", ""))
        for node, x, y in placed(svg)
        if node.tag == f"{SVG}path" and node.get("stroke-width") == width and node.get("fill") not in {None, "none"}
    ]


def strokes(svg: str, *, width: str) -> list[tuple[float, float, float, float]]:
    """Straight lines of a width: their ends on the whole picture."""
    return [
        (x, y, x + float(node.get("x2", 0)), y + float(node.get("y2", 0)))
        for node, x, y in placed(svg)
        if node.tag == f"{SVG}line" and node.get("stroke-width") == width
    ]


def placed(svg: str) -> list[tuple[ET.Element, float, float]]:
    """Every element with its place on the whole picture."""
    found: list[tuple[ET.Element, float, float]] = []

    def walk(node: ET.Element, x: float, y: float) -> None:
        dx, dy = at(node.get("transform", ""))
        found.append((node, x + dx, y + dy))
        for child in node:
            walk(child, x + dx, y + dy)

    walk(root_of(svg), 0.0, 0.0)
    return found


def overlaps(svg: str, text_width, *, above: float = 0.0) -> list[tuple[str, str]]:
    """Pairs of texts whose boxes overlap, by the widths of the house font; a hair of overlap is let pass."""
    boxes = []
    for node, x, y in placed(svg):
        text = "".join(node.itertext()).strip() if node.tag == f"{SVG}text" else ""
        if not text or y < above:
            continue
        size = float(node.get("font-size", "9px").removesuffix("px"))
        wide = text_width(text, size=size, bold=node.get("font-weight") == "bold")
        start = {"middle": x - wide / 2, "end": x - wide}.get(node.get("text-anchor", ""), x)
        boxes.append((start + 0.5, y - size * 0.6, start + wide - 0.5, y + size * 0.1, text))
    return [
        (a[4], b[4])
        for i, a in enumerate(boxes)
        for b in boxes[i + 1 :]
        if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
    ]


def outside(svg: str, text_width) -> list[str]:
    """Texts that reach beyond the picture; one that is turned is not measured."""
    width = float(root_of(svg).get("width", "0"))
    found = []
    for node, x, _ in placed(svg):
        text = "".join(node.itertext()).strip() if node.tag == f"{SVG}text" else ""
        if not text or "rotate" in node.get("transform", ""):
            continue
        size = float(node.get("font-size", "9px").removesuffix("px"))
        wide = text_width(text, size=size, bold=node.get("font-weight") == "bold")
        start = {"middle": x - wide / 2, "end": x - wide}.get(node.get("text-anchor", ""), x)
        if start < -0.5 or start + wide > width + 0.5:
            found.append(text)
    return found
