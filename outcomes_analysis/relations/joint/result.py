"""The question the joint model answers, and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import pandas as pd

from outcomes_analysis.errors import Problems, SpecError, several
from outcomes_analysis.provenance import RunManifest, hash_of
from outcomes_analysis.relations.joint.preparing import Form
from outcomes_analysis.relations.pair.posteriors import Method

FormSet = Literal["chosen", "reflective", "formative"]
FORM_SETS: tuple[FormSet, ...] = get_args(FormSet)
QUANTILES = ("estimate", "lower", "upper", "lower_half", "upper_half")  # of a parameter, prior and posterior
GIVEN, RAW = "deprivation and region", ""
TABLE_COLUMNS = (
    "quantity",
    "forms",
    "given",
    "domain",
    "other",
    "form",
    "area_code",
    "area_name",
    "indicator_id",
    "period",
    "n",
    "estimate",
    "lower",
    "upper",
    "level",
    "interval",
    "unit",
    "method",
    "contested",
    "experimental",
    "status",
    "reason",
)


@dataclass(frozen=True)
class JointSpec:
    """How the outcomes of all domains relate: which years, what is allowed for, each domain's measurement form.

    Attributes
    ----------
    periods : tuple of int
        Years by whose end figures were measured.
    deprivation : tuple of str
        Indicators allowed for, beside the region.
    forms : tuple of (str, str)
        Measurement form of the domains for which it is prescribed, ``reflective`` or ``formative``; of the others the
        checks decide.
    spatial : bool
        Whether neighbours may resemble each other beyond deprivation and region.
    """

    periods: tuple[int, ...]
    deprivation: tuple[str, ...] = ("child_poverty_ahc",)
    forms: tuple[tuple[str, Form], ...] = ()
    spatial: bool = False

    def __post_init__(self) -> None:
        problems = Problems("joint model")
        if not self.periods:
            problems.add("no year is given; name at least one, such as periods=[2024].")
        if len(set(self.periods)) < len(self.periods):
            problems.add("a year is given twice.")
        twice = sorted({i for i in self.deprivation if self.deprivation.count(i) > 1})
        if twice:
            problems.add(f"allowed for twice: {several(twice)}.")
        if not self.deprivation:
            problems.add("nothing is allowed for; name a measure of deprivation, such as child_poverty_ahc.")
        wrong = [f"{d}: {f}" for d, f in self.forms if f not in get_args(Form)]
        if wrong:
            problems.add(f"measurement forms are 'reflective' and 'formative', not {', '.join(wrong)}.")
        problems.raise_if_any(SpecError)

    @property
    def form(self) -> str:
        """Which form of the model answers it, in words."""
        years = "one year" if len(self.periods) == 1 else f"{len(self.periods)} years"
        return f"{years}, on the map" if self.spatial else years

    @property
    def hash(self) -> str:
        """Short hash of the question, the same in every session."""
        return hash_of(asdict(self))


@dataclass(frozen=True, eq=False)
class JointResult:
    """How the domains relate, how sure that is, and whether the model fits.

    Attributes
    ----------
    table : DataFrame
        One row an estimate. ``quantity``: ``correlation`` (of ``domain`` and ``other``), ``link`` (the same with
        all other domains allowed for too: a partial correlation), ``domain`` (an area's domain
        quantity), ``loading`` (of an indicator on its domain). ``forms``: which set of measurement forms the row comes
        from, ``chosen`` (each domain in the form that the checks bear out), ``reflective`` or ``formative`` (all
        domains alike, for comparison); ``form`` is that of the domain itself. ``given``: empty, or what is allowed for.
        ``n`` authorities; ``estimate, lower, upper, level, interval`` (posterior median and equal-tailed interval);
        ``unit``; ``method``; ``contested`` (why an indicator's direction is disputed); ``experimental`` (whether a
        domain is); ``status`` (``computed`` or ``withheld``) and ``reason``.
    text : str
        Prose made from the same numbers.
    spec : JointSpec
        The question.
    manifest : RunManifest
        What the answer was made from.
    diagnostics : dict
        ``form`` of the model in words (``one year`` or ``several years``, ``on the map`` or not), ``sampling`` (by set
        of forms), ``forms`` (chosen for each domain), ``as_sums`` (domains that can
        only be weighted sums, and why), ``left_out`` and ``dropped`` (reasons).
    checks : DataFrame
        Posterior predictive checks of each domain with its indicators behaving as one thing.
    areas : DataFrame
        Leave-one-area-out: how far the answer leans on single areas.
    priors : DataFrame
        Priors beside posteriors, one row a parameter; for a chart see :meth:`priors_and_posteriors`.
    sensitivity : DataFrame
        The correlations under other choices: wider priors, other deprivation, without London.
    """

    table: pd.DataFrame
    text: str
    spec: JointSpec
    manifest: RunManifest
    diagnostics: dict[str, Any]
    checks: pd.DataFrame
    areas: pd.DataFrame
    priors: pd.DataFrame
    sensitivity: pd.DataFrame

    def __str__(self) -> str:
        return self.text

    def links(self, *, forms: FormSet = "chosen") -> pd.DataFrame:
        """The network of the domains: one row a pair, its correlation with all other domains allowed for.

        From the inverse of the correlations, draw by draw; near 0, the two go together only by way of the others.

        Parameters
        ----------
        forms : {"chosen", "reflective", "formative"}

        Returns
        -------
        DataFrame
            As :meth:`correlations`: with the other domains alone allowed for, and (``_given``) deprivation and region
            too.
        """
        return self._pairs("link", forms)

    def correlations(self, *, forms: FormSet = "chosen") -> pd.DataFrame:
        """One row a pair of domains: the correlation as it is, and given deprivation and region.

        Parameters
        ----------
        forms : {"chosen", "reflective", "formative"}

        Returns
        -------
        DataFrame
            ``domain, other, estimate, lower, upper, estimate_given, lower_given, upper_given, level, method,
            experimental, status, reason``, in the framework's order.
        """
        return self._pairs("correlation", forms)

    def _pairs(self, quantity: str, forms: FormSet) -> pd.DataFrame:
        rows = self.table[self.table["quantity"].eq(quantity) & self.table["forms"].eq(forms)]
        keys = ["domain", "other"]
        plain = rows[rows["given"].eq(RAW)]
        held = rows[rows["given"].eq(GIVEN)].set_index(keys)[["estimate", "lower", "upper"]].add_suffix("_given")
        columns = [*keys, "estimate", "lower", "upper"]
        found = plain[columns].join(held, on=keys)
        rest = plain[["level", "method", "experimental", "status", "reason"]]
        return found.join(rest).reset_index(drop=True)

    def priors_and_posteriors(self) -> pd.DataFrame:
        """What was taken to be likely beforehand, and what is after the figures were seen: for a chart of both.

        Returns
        -------
        DataFrame
            Two rows a parameter, ``of`` being ``prior`` and then ``posterior``: ``parameter`` (in words, with the ids
            of indicators and domains), ``kind`` (``level, loading, own, shared, stays, spread, held, region, partial,
            lasting, spatial``; ``partial`` are the correlations between domains given deprivation and region),
            ``of``, ``estimate`` (median), ``lower, upper, level`` (equal-tailed interval), ``lower_half, upper_half``
            (the middle half), ``interval`` (``figures``), ``narrowed`` (by what share the posterior is narrower than
            the prior: near 0, the prior decides; the same in both rows) and ``method``. In the parameter's own units.
            No rows where the fit is withheld.
        """
        columns = ["parameter", "kind", "of", *QUANTILES, "level", "interval", "narrowed", "method"]
        if self.priors.empty:
            return pd.DataFrame(columns=columns)
        method = self.correlations()["method"].iloc[0]
        shared = self.priors[["parameter", "kind", "level", "narrowed"]].assign(interval="figures", method=method)
        before = self.priors[[f"prior_{name}" for name in QUANTILES]].set_axis(list(QUANTILES), axis=1)
        after = self.priors[list(QUANTILES)]
        both = [shared.join(before).assign(of="prior"), shared.join(after).assign(of="posterior")]
        return pd.concat(both)[columns].sort_index(kind="stable").reset_index(drop=True)


def forms_for(spec: JointSpec, domains: tuple[str, ...]) -> Mapping[str, Form]:
    """Prescribed forms, checked against the domains there are.

    Raises
    ------
    SpecError
        If a domain named does not exist.
    """
    unknown = [d for d, _ in spec.forms if d not in domains]
    if unknown:
        message = f"No domain {', '.join(unknown)}. There are: {', '.join(domains)}."
        raise SpecError(message)
    return dict(spec.forms)


__all__ = [
    "FORM_SETS",
    "GIVEN",
    "QUANTILES",
    "RAW",
    "TABLE_COLUMNS",
    "FormSet",
    "JointResult",
    "JointSpec",
    "Method",
    "forms_for",
]
