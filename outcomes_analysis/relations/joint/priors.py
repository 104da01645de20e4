"""Priors of the joint model, each with its reason. Figures are standardised, so that 1 is their whole spread."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from outcomes_analysis.errors import SpecError, several


@dataclass(frozen=True)
class Prior:
    """A normal prior of one kind of parameter, on its own scale or on that of its logarithm or log odds.

    Attributes
    ----------
    centre, scale : float
        Mean and sd on the scale named by ``on``.
    on : str
        ``itself``, ``logarithm`` or ``log odds``.
    reason : str
        Why.
    """

    centre: float
    scale: float
    on: str
    reason: str


@dataclass(frozen=True)
class JointPriors:
    """Priors of the joint model.

    Attributes
    ----------
    level, loading, own, shared, stays, spread, held, region, lasting, spatial : Prior
        Of ``alpha, lambda, psi, gamma, sd of u, lambda of a weighted sum, B, sd between regions, rho, phi``.
    eta : float
        Of the LKJ prior: 1 is every correlation matrix alike, more is nearer to none related.
    flat : bool
        Leave all priors out: the peak is then the maximum of the likelihood. For comparison with published software;
        there is no posterior to sample from.
    """

    level: Prior = Prior(0.0, 1.0, "itself", "The figures are centred: a level beyond 2 sd is out of the question.")
    loading: Prior = Prior(
        0.5,
        0.4,
        "itself",
        "An indicator that speaks for its domain loads some .3 to .8 of its sd. The centre, being above 0, says "
        "which way is up; the width lets an indicator that runs against its domain show it.",
    )
    own: Prior = Prior(
        -0.6,
        0.6,
        "logarithm",
        "An own part between .17 and 1.8 sd: neither 0 (no two indicators measure the same thing exactly) nor "
        "more than all there is.",
    )
    shared: Prior = Prior(
        -0.9,
        0.7,
        "logarithm",
        "What near-duplicates share beyond their domain: .4 sd, from .1 to 1.6. Positive, as they measure the same "
        "children in nearly the same way.",
    )
    stays: Prior = Prior(
        -0.9,
        0.7,
        "logarithm",
        "What an indicator keeps from year to year: .4 sd, from .1 to 1.6. Must be proper: it is integrated out, and "
        "a flat prior on its logarithm has no end.",
    )
    spread: Prior = Prior(
        -0.4,
        0.5,
        "logarithm",
        "A weighted sum has sd 1 over all areas; its true part given deprivation and region is .25 to 1.8 of it.",
    )
    held: Prior = Prior(
        0.0,
        1.0,
        "itself",
        "No direction favoured. In units of what deprivation and region leave of a domain: 1.6 is a correlation of "
        ".85. The slope of healthy lies beyond; with sd 2 it is 7 % larger, and no correlation moves by more than "
        ".003.",
    )
    region: Prior = Prior(
        -1.2,
        0.8,
        "logarithm",
        "Nine regions may differ by hardly anything (.06) or by as much as areas of one region do (1.4).",
    )
    lasting: Prior = Prior(
        1.5, 1.0, "log odds", "Areas keep most of their standing from year to year: rho about .82, from .38 to .97."
    )
    spatial: Prior = Prior(0.0, 1.2, "log odds", "Neighbours may share nearly nothing or nearly all.")
    eta: float = 2.0
    flat: bool = False

    def __post_init__(self) -> None:
        narrow = [name for name, prior in self.kinds().items() if not prior.scale > 0]
        if narrow or not self.eta > 0:
            message = f"Priors need a scale above 0: {several([*narrow, *(['eta'] if not self.eta > 0 else [])])}."
            raise SpecError(message)

    def kinds(self) -> dict[str, Prior]:
        """The normal ones, by name."""
        return {name: value for name, value in vars(self).items() if isinstance(value, Prior)}

    def widened(self, factor: float) -> JointPriors:
        """All scales times a factor, and every correlation matrix alike: for finding what the priors decide."""
        wider: dict[str, Any] = {
            name: replace(prior, scale=prior.scale * factor) for name, prior in self.kinds().items()
        }
        return replace(self, eta=1.0, **wider)

    def to_dict(self) -> dict[str, Any]:
        """Plain dictionary without the reasons, for hashing."""
        found = asdict(self)
        for name in self.kinds():
            found[name].pop("reason")
        return found


REASON_ETA = "LKJ(2): all ten correlations 0 is a little likelier than any other; one alone has sd .35."
DEFAULT = JointPriors()
