"""Parts of a specification that are no choice among the steps' own methods: what to divide by, whom to leave out."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from outcomes_analysis.index.steps.scalings import ByIndicator
from outcomes_analysis.index.steps.stepping import Method


def _pairs(given: Any) -> Any:
    return tuple(sorted(dict(given).items())) if hasattr(given, "keys") else given


#: Texts by indicator: given as a mapping, kept as sorted pairs, written as a mapping.
ByText = Annotated[
    tuple[tuple[str, str], ...],
    BeforeValidator(_pairs),
    PlainSerializer(lambda pairs: dict(pairs), return_type=dict[str, str]),
    WithJsonSchema({"type": "object", "additionalProperties": {"type": "string"}}),
]

#: Yes or no by unit.
ByUnit = Annotated[
    tuple[tuple[str, bool], ...],
    BeforeValidator(_pairs),
    PlainSerializer(lambda pairs: dict(pairs), return_type=dict[str, bool]),
    WithJsonSchema({"type": "object", "additionalProperties": {"type": "boolean"}}),
]

#: A share from 0 to 1 by node.
ByNode = Annotated[
    tuple[tuple[str, Annotated[float, Field(ge=0, le=1)]], ...],
    BeforeValidator(_pairs),
    PlainSerializer(lambda pairs: dict(pairs), return_type=dict[str, float]),
    WithJsonSchema({"type": "object", "additionalProperties": {"type": "number", "minimum": 0, "maximum": 1}}),
]

#: 1 (higher is better) or -1 by indicator.
Directions = Annotated[
    tuple[tuple[str, Literal[1, -1]], ...],
    BeforeValidator(_pairs),
    PlainSerializer(lambda pairs: dict(pairs), return_type=dict[str, int]),
    WithJsonSchema({"type": "object", "additionalProperties": {"enum": [1, -1]}}),
]


class Reference(Method):
    """``mean + sd * (x - England) / spread``, both of the indicator's base period, on the indicator's own scale.

    Attributes
    ----------
    mean, sd : float
        Score of England in the base period, and of one standard deviation between authorities in that period.
    """

    method: Literal["reference"] = "reference"
    mean: float = 0.0
    sd: float = Field(default=1.0, gt=0)


class Denominated(BaseModel):
    """Indicators to divide by the size of a place; see :func:`~outcomes_analysis.index.denominate`.

    Attributes
    ----------
    by : mapping of str to str
        Indicator to the column of the matrix's denominators.
    scale : float or mapping of str to float
        By indicator, or one for all: 1,000 gives a rate per 1,000.
    function : {"divide", "multiply"}
        Whether to divide, or to turn a rate back into a total.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: ByText
    scale: float | ByIndicator = 1.0
    function: Literal["divide", "multiply"] = "divide"


class Screened(BaseModel):
    """Places left out for having too little; see :func:`~outcomes_analysis.index.screen`.

    Attributes
    ----------
    availability : float
        Least share of the indicators with a value, once gaps are filled.
    nonzero : float
        Least share of the values that are not zero.
    by : tuple of {"availability", "zeros"}
        Which of the two leave a place out.
    forced : mapping of str to bool
        Places kept or left out whatever these say.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    availability: float = Field(default=2 / 3, ge=0, le=1)
    nonzero: float = Field(default=0.05, ge=0, le=1)
    by: tuple[Literal["availability", "zeros"], ...] = ("availability",)
    forced: ByUnit = ()
