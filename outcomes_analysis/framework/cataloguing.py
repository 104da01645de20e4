"""The indicators as a catalogue: one row each, in words; what each domain has, and what it lacks."""

from __future__ import annotations

import pandas as pd

from outcomes_analysis.framework.model import Framework, Indicator
from outcomes_analysis.provenance import safe_cell

DIRECTIONS = {1: "higher is better", -1: "lower is better", 0: "neither"}
LAYERS = {"child": "babies, children and young people", "parent_carer": "parents and carers", "system": "services"}
MEASURES = {
    "outcome": "an outcome for children",
    "activity": "activity and recording",
    "context": "context",
    "enabler": "what surrounds children",
}


def catalogue(framework: Framework) -> pd.DataFrame:
    """List every indicator in words.

    Parameters
    ----------
    framework : Framework

    Returns
    -------
    DataFrame
        Indexed by ``indicator_id`` in the framework's order, text only; columns ``name, domain, also, outcome, layer,
        definition, unit, better, scored, contested, measures, age_stage, counted_once_with, geography_basis, source,
        cross_checks, base_period, max_age, breaks, uncertainty, cannot_tell, notice``. Empty text where there is
        nothing to say.
    """
    rows = [_row(indicator, framework) for indicator in framework.indicators]
    return pd.DataFrame(rows).set_index("indicator_id").astype("str")


def catalogue_csv(framework: Framework) -> str:
    """Write the catalogue as CSV that a spreadsheet can open without running any cell.

    Parameters
    ----------
    framework : Framework

    Returns
    -------
    str
        UTF-8 text with a heading line and line feeds at line ends; a cell that would be taken for a formula begins with
        an apostrophe.
    """
    table = catalogue(framework).reset_index()
    return table.map(safe_cell).to_csv(index=False, lineterminator="\n")


def domain_summary(framework: Framework) -> pd.DataFrame:
    """Count what each domain rests on, and say what it lacks.

    Parameters
    ----------
    framework : Framework

    Returns
    -------
    DataFrame
        Indexed by domain id; columns ``label, outcomes`` (of children, with at least one scored figure)``, scored``
        (indicators that may be scored)``, counted`` (the same, near-duplicates once)``, contested`` (of the scored)``,
        neutral`` (activity)``, enablers`` (other layers and services)``, experimental, note`` (the shortfall).
    """
    rows = []
    for domain in framework.domains:
        below = list(framework.below(domain.id))
        scored = [i for i in below if i.scored]
        rows.append(
            {
                "domain": domain.id,
                "label": domain.label,
                "outcomes": len({i.outcome for i in scored}),
                "scored": len(scored),
                "counted": len({i.doublet or i.id for i in scored}),
                "contested": sum(bool(i.contested) for i in scored),
                "neutral": sum(i.measure_of == "activity" for i in below),
                "enablers": sum(i.measure_of == "enabler" for i in below),
                "experimental": domain.experimental,
                "note": domain.note,
            }
        )
    return pd.DataFrame(rows).set_index("domain")


def _row(indicator: Indicator, framework: Framework) -> dict[str, str]:
    outcome = framework.node(indicator.outcome).label if indicator.outcome else ""
    domain = framework.node(framework.domain_of(indicator.outcome)).label if indicator.outcome else "Context"
    also = [framework.node(name).label for name in indicator.domains[1:]]
    twins = [i.id for i in framework.indicators if indicator.doublet and i.doublet == indicator.doublet]
    return {
        "indicator_id": indicator.id,
        "name": indicator.name,
        "domain": domain,
        "also": "; ".join(also),
        "outcome": outcome,
        "layer": LAYERS[indicator.layer],
        "definition": indicator.definition,
        "unit": indicator.unit,
        "better": DIRECTIONS[indicator.direction],
        "scored": "yes" if indicator.scored else "no",
        "contested": indicator.contested,
        "measures": MEASURES[indicator.measure_of],
        "age_stage": indicator.age_stage,
        "counted_once_with": "; ".join(twin for twin in twins if twin != indicator.id),
        "geography_basis": indicator.geography_basis.replace("_", " "),
        "source": indicator.source,
        "cross_checks": "; ".join(indicator.cross_checks),
        "base_period": indicator.base_period,
        "max_age": str(indicator.max_age),
        "breaks": " ".join(f"From {b.period}: {b.reason}" for b in indicator.breaks),
        "uncertainty": f"{indicator.sampling.model.replace('_', ' ')}: {indicator.sampling.reason}".rstrip(": "),
        "cannot_tell": indicator.cannot_tell,
        "notice": framework.notice,
    }
