"""What is asked of an index: one frozen, hashable specification, the same in Python, YAML and JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from outcomes_analysis.errors import SpecError
from outcomes_analysis.index.specifying.choices import Choice, choice_of
from outcomes_analysis.index.specifying.spec_parts import ByNode, Denominated, Directions, Reference, Screened
from outcomes_analysis.index.specifying.spec_reading import as_yaml, faults_of, read_yaml
from outcomes_analysis.index.specifying.spec_wording import described
from outcomes_analysis.index.steps import means
from outcomes_analysis.index.steps.imputation import ImputationMethod, Unimputed
from outcomes_analysis.index.steps.means import ArithmeticMean, Rescale
from outcomes_analysis.index.steps.normalisation import Normalisation
from outcomes_analysis.index.steps.stepping import classes_of
from outcomes_analysis.index.steps.treatment import TreatmentMethod, Untreated
from outcomes_analysis.index.steps.weighting import Equal, WeightMethod
from outcomes_analysis.project import LEVEL
from outcomes_analysis.provenance import hash_of

Contested = Literal["include", "exclude"]

ImputeChoice = Annotated[Choice, *choice_of(classes_of(ImputationMethod), step="impute", default=Unimputed())]
TreatChoice = Annotated[Choice, *choice_of(classes_of(TreatmentMethod), step="treat", default=Untreated())]
NormaliseChoice = Annotated[
    Choice, *choice_of((Reference, *classes_of(Normalisation)), step="normalise", default=Reference())
]
WeightChoice = Annotated[Choice, *choice_of(classes_of(WeightMethod), step="weigh", default=Equal())]
AggregateChoice = Annotated[
    Choice, *choice_of(classes_of(means.Aggregation), step="aggregate", default=ArithmeticMean())
]


class IndexSpec(BaseModel):
    """Choices that turn a matrix of indicators into scores, step by step up a tree of any depth.

    By default scores run higher = better; 0 is England in each indicator's base period and 1 is the standard
    deviation between authorities in that period.

    Attributes
    ----------
    denominate : Denominated, optional
        Which indicators are divided by what, before anything else.
    impute : Choice
        How gaps are filled, by indicator; by default they are not, and the others stand in for them. See
        :func:`~outcomes_analysis.index.impute`.
    screen : Screened, optional
        Which places have too little to be compared.
    treat : Choice
        How outliers are brought in, by indicator, decided on the places that are ranked; by default only by ``cap``.
        See :func:`~outcomes_analysis.index.treat`.
    normalise : Choice
        How indicators come to one scale, by indicator: the base period's by default. See
        :func:`~outcomes_analysis.index.normalise`.
    cap : float or None
        Values on the base period's scale count as no further than this from England (in standard deviations), in the
        score and in every draw, so that one figure alone makes no rank; None counts them as they are. Indicators
        normalised otherwise are not capped.
    weights : Choice
        How the parts of a node are weighed, by node. See :func:`~outcomes_analysis.index.weight`.
    aggregate : Choice
        How the parts of a node are combined, by node. See :func:`~outcomes_analysis.index.aggregate`. Means that
        multiply or divide need ``GeometricMean(offset=100, factor=10)`` on the default scale.
    rescale : Rescale, optional
        Bring each node to one mean and standard deviation before it goes up, as the ONS Health Index does.
    availability : float
        Least share of a node's weight that must be present in an authority; below it the node is not computed there.
        Figures that were filled in do not count as present.
    availability_of : mapping of str to float
        The same for nodes named.
    groups : str
        Column of the matrix's areas by which group-wise imputation goes.
    contested : {"include", "exclude"}
        Whether indicators of disputed direction count.
    include : tuple of str
        Indicators to add by name although they are neutral or not scored by default. A neutral one counts as
        "higher is better" only when ``directions`` says so.
    exclude : tuple of str
        Indicators to leave out.
    directions : mapping of str to {1, -1}
        Directions for indicators named in ``include`` that have none.
    overall : bool
        Whether to compute the mean of the domains. Never by default, and never with an experimental domain.
    level : float
        Level of our intervals.

    Raises
    ------
    SpecError
        Everything that is wrong at once, each fault with the choice it is in.

    Notes
    -----
    Each of the five choices takes a method (``GeometricMean(offset=100, factor=10)``), its name (``"median"``), a
    mapping (``{"method": "minmax", "lower": 1}``), or a mapping from ids to any of these with ``"default"`` for the
    rest. Steps are those of the OECD/JRC Handbook (2008).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    denominate: Denominated | None = None
    impute: ImputeChoice = Choice(Unimputed())
    screen: Screened | None = None
    treat: TreatChoice = Choice(Untreated())
    normalise: NormaliseChoice = Choice(Reference())
    cap: float | None = Field(default=3.0, gt=0)
    weights: WeightChoice = Choice(Equal())
    aggregate: AggregateChoice = Choice(ArithmeticMean())
    rescale: Rescale | None = None
    availability: float = Field(default=0.65, ge=0, le=1)
    availability_of: ByNode = ()
    groups: str = "region_name"
    contested: Contested = "include"
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    directions: Directions = ()
    overall: bool = False
    level: float = Field(default=LEVEL, gt=0, lt=1)

    def __init__(self, **choices: Any) -> None:
        try:
            super().__init__(**choices)
        except ValidationError as error:
            faults_of(error, fields=list(type(self).model_fields)).raise_if_any(SpecError)
            raise  # pragma: no cover - an error has at least one fault

    def replace(self, **changes: Any) -> Self:
        """Return the same specification with some choices changed, validated again."""
        return self.__class__(**{name: getattr(self, name) for name in type(self).model_fields} | changes)

    @classmethod
    def from_yaml(cls, source: Path | str) -> Self:
        """Read a specification from a file or from text.

        Parameters
        ----------
        source : Path or str
            A path, or the text itself: a string with a line break or a colon and a blank is text. Choices not
            written are those by default.

        Raises
        ------
        SpecError
            If it cannot be read, or everything that is wrong with it at once.
        """
        return cls(**read_yaml(source))

    def to_yaml(self) -> str:
        """Write every choice, so that the file means the same whatever defaults come later."""
        return as_yaml(self.model_dump(mode="json"))

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """JSON schema of the file, for editors and other programs."""
        return cls.model_json_schema(mode="validation")

    @property
    def hash(self) -> str:
        """Short hash of every choice."""
        return hash_of(self.model_dump(mode="json"))

    def least(self, node: str) -> float:
        """Least share of a node's weight that must be present."""
        return dict(self.availability_of).get(node, self.availability)

    def describe(self) -> str:
        """Describe the method in words, as a methods paragraph."""
        return described(self)


__all__ = ["Contested", "Denominated", "IndexSpec", "Reference", "Screened"]
