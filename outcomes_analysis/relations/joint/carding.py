"""The card of the joint model: what it asks, assumes and found, and whether that still holds for today's figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from outcomes_analysis.errors import RelationError
from outcomes_analysis.provenance import write_atomic
from outcomes_analysis.relations.joint.priors import JointPriors
from outcomes_analysis.relations.joint.result import JointResult
from outcomes_analysis.relations.pair.cards import OBTAINED, card_path
from outcomes_analysis.relations.pair.fits import versions

CARD = "joint-domains"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CardPrior(_Frozen):
    """A normal prior as the card has it."""

    parameter: str
    of: Literal["itself", "logarithm", "log odds"]
    centre: float
    scale: float = Field(gt=0)
    reason: str = Field(min_length=5)


class JointObtained(_Frozen):
    """What a fit gave, and what it was made from."""

    data_hash: str
    data_as_at: str
    areas: int
    forms: dict[str, str]
    versions: dict[str, str]
    diagnostics: dict[str, dict[str, float | int | str | list[str]]]
    correlations: tuple[dict[str, float | str | None], ...]
    checks: tuple[dict[str, float | int | str | list[str] | bool], ...]


class JointCard(_Frozen):
    """The joint model, as ``models/joint-domains.yml`` describes it."""

    id: str
    title: str
    state: Literal["current", "stale"]
    question: str
    function: str
    periods: tuple[int, ...]
    deprivation: tuple[str, ...]
    measurement: tuple[str, ...]
    formula: tuple[str, ...]
    priors: tuple[CardPrior, ...]
    eta: float
    sampler: dict[str, Any]
    quick_way: tuple[str, ...]
    withheld_if: tuple[str, ...]
    checks: tuple[str, ...]
    caveats: tuple[str, ...]
    obtained: JointObtained


def load_joint_card(*, folder: Path | None = None) -> JointCard:
    """Read the card.

    Parameters
    ----------
    folder : Path, optional
        By default ``models/``.

    Raises
    ------
    RelationError
        If there is none, or it is not as it should be (every fault is named).
    """
    path = card_path(CARD, folder=folder)
    try:
        return JointCard.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (ValidationError, yaml.YAMLError) as error:
        message = f"The model card {path.name} is not valid: {error}"
        raise RelationError(message) from error


def card_differences(card: JointCard, *, data_hash: str, priors: JointPriors | None = None) -> list[str]:
    """Where the card no longer tells the truth about the model and the figures.

    Parameters
    ----------
    card : JointCard
    data_hash : str
        Of the figures the model would be fitted to now (``prepare_joint(...).hash``).
    priors : JointPriors, optional
        By default those of the code.

    Returns
    -------
    list of str
        Empty if nothing changed since the fit.
    """
    found = []
    if card.obtained.data_hash != data_hash:
        found.append(f"the figures changed (hash {data_hash}, fitted to {card.obtained.data_hash})")
    ours = {n: (p.on, p.centre, p.scale) for n, p in (priors or JointPriors()).kinds().items()}
    written = {p.parameter: (p.of, p.centre, p.scale) for p in card.priors}
    unlike = sorted(n for n in set(ours) | set(written) if ours.get(n) != written.get(n))
    found += [f"prior of {n}: {ours.get(n)}, on the card {written.get(n)}" for n in unlike]
    if card.eta != (priors or JointPriors()).eta:
        found.append("eta of the prior of the correlations")
    return found


def record_joint(result: JointResult, *, folder: Path | None = None) -> Path:
    """Write what a fit gave into the card, below ``obtained:``; the rest of it stays letter for letter.

    Parameters
    ----------
    result : JointResult
    folder : Path, optional
        By default ``models/``.

    Raises
    ------
    RelationError
        If the fit was withheld: such a fit is not recorded.
    """
    path = card_path(CARD, folder=folder)
    found = result.correlations()
    if found["status"].ne("computed").any():
        message = f"The correlations are withheld ({found['reason'].iloc[0]}): the card is left as it was."
        raise RelationError(message)
    obtained = {
        "data_hash": result.manifest.data,
        "data_as_at": result.manifest.data_as_at,
        "areas": int(result.table["n"].iloc[0]),
        "forms": dict(result.diagnostics["forms"]),
        "versions": versions(),
        "diagnostics": {n: _plain(d) for n, d in result.diagnostics["sampling"].items()},
        "correlations": [
            _plain(row) for row in found.drop(columns=["experimental", "status", "reason"]).to_dict(orient="records")
        ],
        "checks": [_plain(row) for row in result.checks.to_dict(orient="records")],
    }
    head = path.read_text(encoding="utf-8").split(f"\n{OBTAINED}")[0].rstrip("\n")
    tail = yaml.safe_dump({"obtained": obtained}, sort_keys=False, allow_unicode=True, width=110)
    return write_atomic(path, f"{head}\n\n{tail}")


def _plain(row: dict[Any, Any]) -> dict[str, Any]:
    """Numbers to four decimals, tuples as lists: what YAML can say."""
    found: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, tuple):
            found[str(key)] = list(value)
        elif isinstance(value, float):
            found[str(key)] = round(value, 4)
        else:
            found[str(key)] = value
    return found
