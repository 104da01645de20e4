"""Drawings whose marks stand at given pixels, written as Vega-Lite at once to stand among Altair's charts.

Altair works out types and scales, and copies every chart it puts beside another. Marks at given pixels leave nothing to
work out, and such a drawing is never changed: built by Altair the same picture takes about four times as long.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, ClassVar

from outcomes_analysis.figures.drawing import theme


def placed(spec: Mapping[str, Any]) -> Any:
    """Make a drawing of a finished Vega-Lite view, to be concatenated with Altair's charts or others like it.

    Parameters
    ----------
    spec : mapping
        A unit or layers with all their data inside; it must not be changed afterwards.
    """
    return _placed_class()(dict(spec))


def across(field: str, *, axis: bool = True) -> dict[str, Any]:
    """Encoding of a position that is given in pixels; the second end of a mark (``x2``, ``y2``) has no axis."""
    return {"axis": None, "field": field, "scale": None, "type": "quantitative"} if axis else {"field": field}


def as_given(field: str) -> dict[str, Any]:
    """Encoding of a colour or shape that each row gives itself."""
    return {"field": field, "scale": None, "type": "nominal"}


def plain_rows(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows as JSON can hold them: all with the same keys, null for what is missing or not finite."""
    names = dict.fromkeys(name for row in rows for name in row)
    return [{name: _plain(row.get(name)) for name in names} for row in rows]


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value
    bare = value.item() if hasattr(value, "item") else value  # numpy's numbers are not JSON's
    return None if isinstance(bare, float) and not math.isfinite(bare) else bare


@cache
def _placed_class() -> type:
    """The class of such drawings, made once Altair is loaded, which takes seconds."""
    theme.altair()
    from altair.utils.schemapi import SchemaBase, Undefined

    class Placed(SchemaBase):  # type: ignore[misc]
        """A view that is its own copy: Altair copies the parts of a chart at every step to be free to change them."""

        _schema: ClassVar[dict[str, Any]] = {"type": "object"}
        _class_is_valid_at_instantiation = False
        data = params = Undefined  # of a chart among others Altair asks for these

        def __init__(self, spec: dict[str, Any]) -> None:
            super().__init__()
            object.__setattr__(self, "spec", spec)  # its own way to set one makes it a part of the view

        def __deepcopy__(self, _: Any) -> Placed:
            return self

        def to_dict(self, *_: Any, **__: Any) -> dict[str, Any]:
            return dict(self.spec)

    return Placed
