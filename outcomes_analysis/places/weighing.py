"""What matters most to people, as weights: how sure they are, how far people agree, how a panel moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis.errors import SpecError
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.observations.scales import Floats
from outcomes_analysis.places.agreement import intraclass, kendall_w, krippendorff_alpha, round_change
from outcomes_analysis.places.holding_back import THRESHOLD
from outcomes_analysis.places.weighing_wording import compose_priorities
from outcomes_analysis.project import LEVEL, SEED
from outcomes_analysis.provenance import RunManifest, made_from

RESAMPLES = 2_000
FEWEST_PEOPLE = 3  # from two nothing is told of others
STABLE = 0.15  # share of a panel that may stand elsewhere than before (Scheibe, Skutsch and Schofer 1975)
IMPORTANT = 7  # ratings from here to 9 call a thing important
PRIOR = 0.5  # Jeffreys' prior of each share, in choices


@dataclass(frozen=True)
class PrioritiesSpec:
    """What was asked for: level of intervals, resamples, seed."""

    level: float
    resamples: int
    seed: int


@dataclass(frozen=True, eq=False)
class Priorities:
    """What people say matters most.

    Attributes
    ----------
    table : DataFrame
        One row a way of asking and an item, the weightiest first: ``way, item, label, estimate`` (share of the whole,
        0 to 1), ``lower, upper, level, interval`` (``people``: had others of the same kind been asked), ``rank, first``
        (how often it comes first in the resamples), ``people`` (NaN where choices were counted together), ``status``
        (``suppressed``: fewer than ten children chose it, or it would tell such a number; then no figure).
    rounds : DataFrame
        Of a Delphi panel: ``item, label, round, people, median, lower_quartile, upper_quartile, spread`` (between the
        quartiles), ``important`` (share who rate it 7 to 9), ``median_change, spread_change, moved`` (share of the
        panel that stands elsewhere than in the round before), ``stable`` (under 15 %; None in the first round).
    agreement : DataFrame
        ``way, round, people, items, kendall_w, chi2, p, alpha`` (Krippendorff's, of orders), ``icc`` (of one person's
        ratings), ``icc_mean`` (of the mean of all); NaN where it cannot be told.
    allocations : mapping of str to DataFrame
        By way, people by items: each person's shares of the whole; not for printing.
    counted : mapping of str to Series
        By way, choices by item where they were counted together; not for printing.
    text : str
    spec : PrioritiesSpec
    manifest : RunManifest
    """

    table: pd.DataFrame
    rounds: pd.DataFrame
    agreement: pd.DataFrame
    allocations: Mapping[str, pd.DataFrame]
    counted: Mapping[str, pd.Series[float]]
    text: str
    spec: PrioritiesSpec
    manifest: RunManifest


def weigh_priorities(
    answers: pd.DataFrame,
    *,
    framework: Framework | None = None,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Priorities:
    """Turn answers into weights with intervals, agreement and rounds.

    Parameters
    ----------
    answers : DataFrame
        Of :func:`outcomes_analysis.sources.local_priorities.load_priorities`.
    framework : Framework, optional
        Labels of items; the Common Outcomes Framework by default.
    level : float
        Of intervals.
    resamples : int
        Bootstrap panels.
    seed : int

    Returns
    -------
    Priorities
        A person's points count as shares of what that person gave: everybody counts the same. The weight is the mean
        of the shares, its interval that of means of as many people drawn with replacement. Choices counted together
        have the shares of a Dirichlet distribution about the counts (Jeffreys' prior), each with the equal tails of
        its Beta margin. Of a Delphi panel the last round counts, and those who rated everything in it. What nobody
        named in a person's points is 0.

    Raises
    ------
    SpecError
        If fewer than three people, or fewer than ten children, answer one of the ways.
    """
    if framework is None:
        from outcomes_analysis.framework.loading import load_framework

        framework = load_framework()
    labels = {node.id: node.label for node in framework.nodes}
    spec = PrioritiesSpec(level, resamples, seed)
    allocations: dict[str, pd.DataFrame] = {}
    counted: dict[str, pd.Series[float]] = {}
    tables, agreement = [], []
    for k, (way, rows) in enumerate(answers.groupby("way", sort=False)):
        way, rng = str(way), np.random.default_rng([seed, k])
        if rows["person"].eq("").all():
            counted[way] = rows.groupby("item", sort=False)["points"].sum()
            _enough(int(counted[way].sum()), way)
            tables.append(_of_counts(counted[way], rng, spec=spec).assign(way=way))
            continue
        last = rows[rows["round"].eq(rows["round"].max())]
        wide = last.pivot(index="person", columns="item", values="points")[list(dict.fromkeys(rows["item"]))]
        wide = wide.dropna() if way == "delphi" else wide.fillna(0.0)
        _enough(len(wide), way)
        allocations[way] = wide.div(wide.sum(axis=1), axis=0)
        tables.append(_of_people(allocations[way], rng, spec=spec).assign(way=way))
        for number, part in rows.groupby("round"):
            agreement.append(_agreement(part, way=way, number=int(number)))
    table = pd.concat(tables, ignore_index=True)
    table["label"] = table["item"].map(labels).fillna(table["item"])
    rounds = _rounds(answers[answers["way"].eq("delphi")], labels)
    agreed = pd.DataFrame(agreement, columns=["way", "round", "people", "items", "kendall_w", "chi2", "p", "alpha",
                                              "icc", "icc_mean"])  # fmt: skip
    order = ["way", "item", "label", "estimate", "lower", "upper", "level", "interval", "rank", "first", "people",
             "status"]  # fmt: skip
    return Priorities(
        table=table[order],
        rounds=rounds,
        agreement=agreed,
        allocations=allocations,
        counted=counted,
        text=compose_priorities(table, rounds, agreed, level=level),
        spec=spec,
        manifest=made_from(answers.drop(columns="line", errors="ignore").to_dict(orient="list"), spec=spec),
    )


def _enough(people: int, way: str) -> None:
    least = THRESHOLD if way == "children" else FEWEST_PEOPLE
    if people < least:
        kind = "children" if way == "children" else "people with a whole answer"
        message = (
            f"{way}: {people} {kind} are too few to be told of: at least {least} are needed, so that nobody's own "
            "answer shows. Ask more, or leave this way out."
        )
        raise SpecError(message)


def _of_people(shares: pd.DataFrame, rng: np.random.Generator, *, spec: PrioritiesSpec) -> pd.DataFrame:
    """Mean shares with bootstrap intervals over people."""
    x = shares.to_numpy(dtype=float)
    drawn = x[rng.integers(len(x), size=(spec.resamples, len(x)))].mean(axis=1)
    tail = (1 - spec.level) / 2
    lower, upper = np.quantile(drawn, [tail, 1 - tail], axis=0)
    return _ordered(list(shares.columns), x.mean(axis=0), lower, upper, drawn, spec=spec, people=float(len(x)))


def _of_counts(counts: pd.Series[float], rng: np.random.Generator, *, spec: PrioritiesSpec) -> pd.DataFrame:
    """Shares of choices counted together; small ones are not told, nor what would tell them."""
    from scipy.stats import beta

    n = counts.to_numpy(dtype=float)
    a = n + PRIOR
    tail = (1 - spec.level) / 2
    lower, upper = (beta.ppf(q, a, a.sum() - a) for q in (tail, 1 - tail))
    drawn = rng.dirichlet(a, size=spec.resamples)
    table = _ordered(list(counts.index), n / n.sum(), lower, upper, drawn, spec=spec, people=float("nan"))
    small = table["item"].map(counts).lt(THRESHOLD)
    if small.sum() == 1 and len(table) > 1:  # all shares make one whole: a second one hides the first
        rest = table["item"].map(counts).where(~small)
        small |= table.index == rest.idxmin()
    table.loc[small, ["estimate", "lower", "upper", "first", "rank"]] = np.nan
    return table.assign(status=np.where(small, "suppressed", "computed"))


def _ordered(
    items: list[str],
    centre: Floats,
    lower: Floats,
    upper: Floats,
    drawn: Floats,
    *,
    spec: PrioritiesSpec,
    people: float,
) -> pd.DataFrame:
    first = np.bincount(drawn.argmax(axis=1), minlength=len(items)) / len(drawn)
    table = pd.DataFrame({"item": items, "estimate": centre, "lower": lower, "upper": upper, "first": first})
    table = table.sort_values("estimate", ascending=False, kind="stable", ignore_index=True)
    table["rank"] = table["estimate"].rank(ascending=False, method="min")
    return table.assign(level=spec.level, interval="people", people=people, status="computed")


def _agreement(rows: pd.DataFrame, *, way: str, number: int) -> dict[str, Any]:
    """Agreement of one way and round: those who judged everything; alpha takes all there are."""
    wide = rows.pivot(index="person", columns="item", values="points")
    wide = wide if way == "delphi" else wide.fillna(0.0)
    whole = wide.dropna()
    found: dict[str, Any] = {"way": way, "round": number, "people": len(whole), "items": wide.shape[1]}
    found |= dict.fromkeys(("kendall_w", "chi2", "p", "alpha", "icc", "icc_mean"), np.nan)
    if len(whole) < FEWEST_PEOPLE:
        return found
    order, within = kendall_w(whole), intraclass(whole)
    return found | {
        "kendall_w": order.w,
        "chi2": order.chi2,
        "p": order.p,
        "alpha": krippendorff_alpha(wide),
        "icc": within.single,
        "icc_mean": within.mean,
    }


def _rounds(rows: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """A Delphi panel round by round, each thing beside the round before."""
    found: list[dict[str, Any]] = []
    for item, own in rows.groupby("item", sort=False):
        wide = own.pivot(index="person", columns="round", values="points")
        before: dict[str, Any] | None = None
        for k, number in enumerate(wide.columns):
            given = wide[number].dropna()
            if len(given) < FEWEST_PEOPLE:
                given = given.iloc[:0]  # a median of two is their own answers
            low, middle, high = (float(q) for q in given.quantile([0.25, 0.5, 0.75]))
            row: dict[str, Any] = {
                "item": item,
                "label": labels.get(str(item), str(item)),
                "round": int(number),
                "people": len(given),
                "median": middle,
                "lower_quartile": low,
                "upper_quartile": high,
                "spread": high - low,
                "important": float(given.ge(IMPORTANT).mean()) if len(given) else np.nan,
                "median_change": np.nan if before is None else middle - before["median"],
                "spread_change": np.nan if before is None else high - low - before["spread"],
                "moved": np.nan
                if before is None or given.empty
                else round_change(wide[wide.columns[k - 1]], wide[number]),
            }
            row["stable"] = bool(row["moved"] < STABLE) if np.isfinite(row["moved"]) else None
            found.append(row)
            before = row
    names = ["item", "label", "round", "people", "median", "lower_quartile", "upper_quartile", "spread", "important",
             "median_change", "spread_change", "moved", "stable"]  # fmt: skip
    return pd.DataFrame(found, columns=names)
