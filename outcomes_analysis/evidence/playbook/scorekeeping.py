"""How predictions did: each scored once, by the first figures that came, and the record that cards carry."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from outcomes_analysis.errors import several
from outcomes_analysis.evidence.playbook.known import breaks_between, rank_correlation, rounded, stamp, years_known
from outcomes_analysis.evidence.playbook.ledger import Entry, Ledger, append, ledger_path, read_ledger
from outcomes_analysis.evidence.playbook.predicting import foretold_words, ids_of
from outcomes_analysis.evidence.playbook.records import Record
from outcomes_analysis.evidence.playbook.strength import HELD
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.places.lines import ENGLAND
from outcomes_analysis.provenance import only_writer
from outcomes_analysis.relations.asking import defaults
from outcomes_analysis.relations.sample import MINIMUM_AREAS, USABLE
from outcomes_analysis.relations.sentences import is_clear
from outcomes_analysis.wording import number

Floats = npt.NDArray[np.float64]


def interval_score(value: npt.ArrayLike, lower: npt.ArrayLike, upper: npt.ArrayLike, *, level: float) -> Floats:
    """Score of a central interval: its width, and a penalty for what falls outside; the lower the better.

    Parameters
    ----------
    value, lower, upper : array
        What came, and the interval foretold.
    level : float
        Between 0 and 1.

    Notes
    -----
    Gneiting and Raftery (2007), Journal of the American Statistical Association 102, equation 43. Nobody can lower its
    expectation by stating another interval than the one believed.
    """
    x, low, high = (np.asarray(v, dtype=float) for v in (value, lower, upper))
    rate = 2.0 / (1.0 - level)
    return np.asarray((high - low) + rate * np.maximum(low - x, 0.0) + rate * np.maximum(x - high, 0.0))


def score_predictions(
    *,
    observations: pd.DataFrame | None = None,
    framework: Framework | None = None,
    path: Path | None = None,
    today: date | None = None,
) -> list[Entry]:
    """Score every open prediction whose figures have come, and write the scores into the ledger.

    Parameters
    ----------
    observations, framework, path, today
        As of :func:`seal_relation`.

    Returns
    -------
    list of Entry
        The scores added; a prediction is scored once, by the first figures that came. Where a break has been declared
        since, it is withdrawn with the reason (``true`` is ``None``).
    """
    path = path or ledger_path()
    framework, observations, areas = defaults(framework, observations, None)
    found = {}
    for entry in read_ledger(path).open:
        content = entry.content
        score = _score(content, observations=observations, framework=framework, areas=areas.index)
        if score is not None:
            found[entry.number] = {"of": entry.number, "seal": entry.hash, **score, **stamp("", observations)}
    if not found:
        return []
    with only_writer(path):  # somebody else may have scored them meanwhile
        still = {entry.number for entry in read_ledger(path).open}
        return [append(about, kind="score", path=path, today=today) for n, about in found.items() if n in still]


def _score(
    content: dict[str, Any], *, observations: pd.DataFrame, framework: Framework, areas: pd.Index
) -> dict[str, Any] | None:
    relation = content["what"] == "relation"
    ids = [content["predictor"], content["outcome"]] if relation else [content["indicator"]]
    year = int(content["year"])
    fewest = MINIMUM_AREAS if relation else 1
    if not all(year in years_known(observations, i, areas, framework=framework, fewest=fewest) for i in ids):
        return None
    broken = breaks_between(ids, int(content["origin"]), year, framework=framework)
    if broken:
        return {"what": content["what"], "true": None, "reason": f"a break was declared since: {several(broken)}"}
    made = _score_relation if relation else _score_forecast
    return made(content, observations=observations, framework=framework)


def _score_relation(content: dict[str, Any], *, observations: pd.DataFrame, framework: Framework) -> dict[str, Any]:
    row = rank_correlation(
        content["predictor"], content["outcome"], int(content["year"]), observations=observations, framework=framework
    )
    came = float(row["estimate"])
    side = int(np.sign(came)) if is_clear(row) else 0
    scored = interval_score(came, content["lower"], content["upper"], level=content["level"])
    return {
        "what": "relation",
        "estimate": rounded(came),
        "lower": rounded(row["lower"]),
        "upper": rounded(row["upper"]),
        "n": int(row["n"]),
        "inside": bool(content["lower"] <= came <= content["upper"]),
        "direction": "as foretold" if side == content["sign"] else "the other way" if side else "not clear",
        "interval_score": rounded(float(scored)),
        "true": side == content["sign"],
    }


def _score_forecast(content: dict[str, Any], *, observations: pd.DataFrame, framework: Framework) -> dict[str, Any]:
    rows = observations[
        observations["indicator_id"].eq(content["indicator"])
        & observations["group"].eq("all")
        & observations["status"].isin(USABLE)
        & observations["value"].notna()
        & observations["period_end"].dt.year.eq(int(content["year"]))
    ]
    came = rows.sort_values("period_end").drop_duplicates("area_code", keep="last").set_index("area_code")["value"]
    told = pd.DataFrame.from_dict(content["figures"], orient="index", columns=["estimate", "lower", "upper", "last"])
    england = _england_score(told, came, level=content["level"])
    places = told.drop(index=ENGLAND, errors="ignore").join(came.rename("came"), how="inner")
    inside = places["came"].between(places["lower"], places["upper"])
    scored = interval_score(places["came"], places["lower"], places["upper"], level=content["level"])
    return {
        "what": "forecast",
        "n": len(places),
        "inside": rounded(float(inside.mean())),
        "interval_score": rounded(float(scored.mean())),
        "error": rounded(float((places["estimate"] - places["came"]).abs().mean())),
        "error_no_change": rounded(float((places["last"] - places["came"]).abs().mean())),
        **england,
        "true": bool(inside.mean() >= content["level"] - HELD),
    }


def _england_score(told: pd.DataFrame, came: pd.Series, *, level: float) -> dict[str, Any]:
    if ENGLAND not in told.index or ENGLAND not in came.index:
        return {}
    row, value = told.loc[ENGLAND], float(came[ENGLAND])
    scored = interval_score(value, row["lower"], row["upper"], level=level)
    return {
        "england": rounded(value),
        "england_inside": bool(row["lower"] <= value <= row["upper"]),
        "england_interval_score": rounded(float(scored)),
    }


def record_of(ledger: Ledger, ids: Sequence[str]) -> Record:
    """How predictions of an association (two ids) or of an indicator (one) did.

    Parameters
    ----------
    ledger : Ledger
    ids : sequence of str

    Returns
    -------
    Record
        Withdrawn predictions count as sealed and not as scored.
    """
    mine = [entry for entry in ledger.seals if set(ids_of(entry.content)) == set(ids)]
    scores = ledger.scores
    judged = [scores[e.number].content["true"] for e in mine if e.number in scores]
    known = [true for true in judged if true is not None]
    return Record(sealed=len(mine), scored=len(known), true=sum(known), head=ledger.head if mine else "")


def ledger_table(ledger: Ledger) -> pd.DataFrame:
    """Every prediction, one a row.

    Returns
    -------
    DataFrame
        ``number, sealed_on, what, ids, year, foretold, state`` (``open``, ``came true``, ``did not``, ``not clear``,
        ``withdrawn``), ``came`` (in words), ``seal``.
    """
    scores = ledger.scores
    rows = []
    for entry in ledger.seals:
        score = scores[entry.number].content if entry.number in scores else None
        state = "open" if score is None else _state(score)
        rows.append(
            {
                "number": entry.number,
                "sealed_on": entry.made_on,
                "what": entry.content["what"],
                "ids": " with ".join(ids_of(entry.content)),
                "year": int(entry.content["year"]),
                "foretold": foretold_words(entry.content),
                "state": state,
                "came": "" if score is None else _came(score),
                "seal": entry.hash,
            }
        )
    columns = ["number", "sealed_on", "what", "ids", "year", "foretold", "state", "came", "seal"]
    return pd.DataFrame(rows, columns=columns)


def _state(score: dict[str, Any]) -> str:
    if score["true"] is None:
        return "withdrawn"
    if score["true"]:
        return "came true"
    return "not clear" if score.get("direction") == "not clear" else "did not"


def _came(score: dict[str, Any]) -> str:
    if score["true"] is None:
        return str(score["reason"])
    if score["what"] == "relation":
        where = "inside" if score["inside"] else "outside"
        return f"rank correlation {number(score['estimate'], 2)}, {where}; direction {score['direction']}"
    return (
        f"{100 * score['inside']:.0f}% of {score['n']} inside; error {score['error']:.2f}, of no change "
        f"{score['error_no_change']:.2f}"
    )
