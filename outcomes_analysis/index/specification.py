"""What is asked of an index: one frozen, hashable specification."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from outcomes_analysis.project import LEVEL
from outcomes_analysis.provenance import hash_of

Aggregation = Literal["arithmetic", "geometric"]
Contested = Literal["include", "exclude"]


class IndexSpec(BaseModel):
    """Choices that turn a matrix of indicators into domain scores.

    Scores run higher = better; 0 is England in each indicator's base period and 1 is the standard deviation
    between authorities in that period.

    Attributes
    ----------
    aggregation : {"arithmetic", "geometric"}
        How indicators become an outcome, and outcomes a domain. The geometric mean is taken of
        ``100 + 10 * score`` and brought back, so that a low part is less easily made up by a high one.
    availability : float
        Least share of a domain's weight that must be present in an authority; below it the domain is not
        computed there.
    contested : {"include", "exclude"}
        Whether indicators of disputed direction count.
    include : tuple of str
        Indicators to add by name although they are neutral or not scored by default. A neutral one counts as
        "higher is better" only when ``directions`` says so.
    exclude : tuple of str
        Indicators to leave out.
    directions : tuple of (str, int)
        Directions for indicators named in ``include`` that have none.
    cap : float or None
        Standardised values count as no further than this from England (in standard deviations), in the score and in
        every draw, so that one figure alone makes no rank; None counts them as they are.
    overall : bool
        Whether to compute the mean of the domains. Never by default, and never with an experimental domain.
    level : float
        Level of our intervals.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    aggregation: Aggregation = "arithmetic"
    availability: float = Field(default=0.65, ge=0, le=1)
    contested: Contested = "include"
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    directions: tuple[tuple[str, Literal[1, -1]], ...] = ()
    cap: float | None = Field(default=3.0, gt=0)
    overall: bool = False
    level: float = Field(default=LEVEL, gt=0, lt=1)

    def replace(self, **changes: Any) -> Self:
        """Return the same specification with some choices changed, validated again."""
        return self.__class__.model_validate(self.model_dump() | changes)

    @property
    def hash(self) -> str:
        """Short hash of every choice."""
        return hash_of(self.model_dump(mode="json"))

    def describe(self) -> str:
        """Describe the method in words, as a methods paragraph."""
        mean = "the average" if self.aggregation == "arithmetic" else "the geometric mean"
        cap = "" if self.cap is None else f"No figure counts as further than {self.cap:g} of these from England. "
        contested = "" if self.contested == "include" else " Indicators of disputed direction are left out."
        return (
            "Each indicator is put on a scale on which its errors are about even, then expressed as its distance "
            "from England in the indicator's base period, in standard deviations between authorities in that period; "
            "the sign is set so that higher is better. "
            f"{cap}An outcome is {mean} of its indicators and a domain {mean} of its outcomes, all with equal weight; "
            "indicators that measure nearly the same thing share one weight. "
            f"Where a figure is missing the others stand in for it, unless less than {self.availability:.0%} of the "
            f"domain's weight is present: then the domain is not computed.{contested}"
        )
