"""Model cards: what a model asks, assumes and found, and whether that still holds for today's figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from outcomes_analysis.errors import RelationError, several
from outcomes_analysis.framework.model import Framework, Scale
from outcomes_analysis.project import project
from outcomes_analysis.provenance import write_atomic
from outcomes_analysis.relations.pair.fits import versions
from outcomes_analysis.relations.pair.latent_pair import PARAMETERS, PRIOR_SCALE, SPREADS
from outcomes_analysis.relations.result import RelationResult
from outcomes_analysis.relations.specification import Role

OBTAINED = "obtained:"  # everything below this line of a card is written by the fit


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Variable(_Frozen):
    """One variable of a model: symbol, indicator, role, and the scale it is put on."""

    symbol: str
    indicator: str
    role: Role
    scale: Scale
    error: str


class Prior(_Frozen):
    """Prior of one parameter: normal of mean 0, or half-normal, of a scale; with the reason."""

    parameter: str
    distribution: Literal["normal", "half-normal"]
    scale: float = Field(gt=0)
    reason: str = Field(min_length=5)


class Estimate(_Frozen):
    """One row of the answer."""

    analysis: str
    scale: str
    estimate: float
    lower: float
    upper: float
    level: float


class Obtained(_Frozen):
    """What a fit gave, and what it was made from."""

    data_hash: str
    data_as_at: str
    areas: int
    versions: dict[str, str]
    diagnostics: dict[str, dict[str, float | int | str]]
    estimates: tuple[Estimate, ...]


class ModelCard(_Frozen):
    """One model, as ``models/{id}.yml`` describes it.

    ``state`` is ``current`` while data and model are those of the fit; a card kept after they changed says ``stale``.
    """

    id: str
    title: str
    state: Literal["current", "stale"]
    question: str
    function: str
    period: int
    variables: tuple[Variable, ...]
    formula: tuple[str, ...]
    priors: tuple[Prior, ...]
    sampler: dict[str, Any]
    withheld_if: tuple[str, ...]
    checks: tuple[str, ...]
    caveats: tuple[str, ...]
    obtained: Obtained


def card_path(card_id: str, *, folder: Path | None = None) -> Path:
    """Path of a card.

    Raises
    ------
    RelationError
        If there is none of that name.
    """
    home = project().path("models") if folder is None else folder
    path = home / f"{card_id}.yml"
    if not path.is_file():
        message = (
            f"There is no model card '{card_id}'. There are: {several(sorted(p.stem for p in home.glob('*.yml')))}."
        )
        raise RelationError(message)
    return path


def load_card(card_id: str, *, folder: Path | None = None) -> ModelCard:
    """Read a model card.

    Parameters
    ----------
    card_id : str
        Name of the file, without ``.yml``.
    folder : Path, optional
        By default ``models/``.

    Returns
    -------
    ModelCard

    Raises
    ------
    RelationError
        If there is none of that name, or it is not as it should be (every fault is named).
    """
    path = card_path(card_id, folder=folder)
    try:
        card = ModelCard.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (ValidationError, yaml.YAMLError) as error:
        message = f"The model card {path.name} is not valid: {error}"
        raise RelationError(message) from error
    if card.id != card_id:
        message = f"The model card {path.name} calls itself '{card.id}': give file and id the same name."
        raise RelationError(message)
    return card


def differences(card: ModelCard, *, data_hash: str, framework: Framework) -> list[str]:
    """Where a card no longer tells the truth about the model and the figures.

    Parameters
    ----------
    card : ModelCard
    data_hash : str
        Of the figures the model would be fitted to now (``measurement.prepare(...).hash``).
    framework : Framework
        For the scales of the variables.

    Returns
    -------
    list of str
        Empty if nothing changed since the fit but, perhaps, versions of software.
    """
    found = []
    if card.obtained.data_hash != data_hash:
        found.append(f"the figures changed (hash {data_hash}, fitted to {card.obtained.data_hash})")
    for variable in card.variables:
        scale = framework.indicator(variable.indicator).scale
        if scale != variable.scale:
            found.append(f"{variable.indicator} is on the scale {scale}, on the card {variable.scale}")
    written = {p.parameter: (p.distribution, p.scale) for p in card.priors}
    ours = {p: ("half-normal" if p in SPREADS else "normal", PRIOR_SCALE[p]) for p in PARAMETERS}
    found += [f"prior of {p}: {ours.get(p)}, on the card {written.get(p)}" for p in _unlike(ours, written)]
    return found


def _unlike(ours: dict[str, Any], written: dict[str, Any]) -> list[str]:
    return sorted(p for p in set(ours) | set(written) if ours.get(p) != written.get(p))


def record_fit(card_id: str, result: RelationResult, *, folder: Path | None = None) -> Path:
    """Write what a fit gave into its card, below ``obtained:``; the rest of the card stays letter for letter.

    Parameters
    ----------
    card_id : str
    result : RelationResult
        Of ``fit_measurement_model``.
    folder : Path, optional
        By default ``models/``.

    Returns
    -------
    Path
        The card.

    Raises
    ------
    RelationError
        If there is no such card, or an estimate was withheld: such a fit is not recorded.
    """
    path = card_path(card_id, folder=folder)
    withheld = result.table[result.table["status"] != "computed"]
    if len(withheld):
        message = f"{len(withheld)} estimates are withheld ({withheld['reason'].iloc[0]}): the card is left as it was."
        raise RelationError(message)
    columns = list(Estimate.model_fields)
    obtained = {
        "data_hash": result.manifest.data,
        "data_as_at": result.manifest.data_as_at,
        "areas": int(result.table["n"].iloc[0]),
        "versions": versions(),
        "diagnostics": {
            name: {k: round(v, 4) if isinstance(v, float) else v for k, v in sorted(found.items())}
            for name, found in result.diagnostics["sampling"].items()
        },
        "estimates": [
            {k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()}
            for row in result.table[columns].to_dict(orient="records")
        ],
    }
    text = path.read_text(encoding="utf-8")
    head = text.split(f"\n{OBTAINED}")[0].rstrip("\n")
    tail = yaml.safe_dump({"obtained": obtained}, sort_keys=False, allow_unicode=True, width=110)
    return write_atomic(path, f"{head}\n\n{tail}")
