"""Local figures beside the core: an overlay and its CSV, read into the same table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from outcomes_analysis.errors import SourceError
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.observations.contract import check_observations, combine, conform, empty
from outcomes_analysis.observations.intervals import sampling_errors
from outcomes_analysis.sources.local_rows import Figure
from outcomes_analysis.sources.vetting import collect


@dataclass(frozen=True)
class LocalAddition:
    """A place's own outcomes, indicators and figures beside the core.

    Attributes
    ----------
    framework : Framework
        The core, whole and unchanged, with the additions after it.
    added : tuple of str
        Ids of the indicators added. Their tier is ``local``: no index takes them unasked.
    observations : DataFrame
        The tidy table of their figures alone, in natural units, with sampling errors where counts or a population are
        known; ``source_id`` is ``local-`` and the overlay's id. Empty if the overlay names no file.
    notes : tuple of str
        What should be known of the figures.
    """

    framework: Framework
    added: tuple[str, ...]
    observations: pd.DataFrame
    notes: tuple[str, ...]

    def beside(self, observations: pd.DataFrame) -> pd.DataFrame:
        """Put the local figures below a table of the core's, which stay as they are."""
        table = combine([observations, self.observations])
        table.attrs = dict(observations.attrs)
        return table


def load_local(
    path: Path | str, *, framework: Framework | None = None, population: pd.DataFrame | None = None
) -> LocalAddition:
    """Load an overlay and its figures.

    Parameters
    ----------
    path : Path or str
        A YAML overlay (see ``data/local/``), whose ``values`` names the CSV beside it.
    framework : Framework, optional
        The core; the Common Outcomes Framework by default.
    population : DataFrame, optional
        Observations of ``pop_0_17``, for the errors of figures without counts whose overlay states a ``cohort_share``;
        by default those errors stay unknown (NaN).

    Returns
    -------
    LocalAddition

    Raises
    ------
    SourceError
        With the whole report of ``check_file``, if overlay or figures have any fault.
    """
    path = Path(path)
    report, extended, figures = collect(path, framework=framework)
    if not report.valid:
        raise SourceError(report.text)
    core = framework.indicators if framework is not None else ()
    known = {i.id for i in core} if core else {i.id for i in extended.indicators if i.tier != "local"}
    added = tuple(i.id for i in extended.indicators if i.id not in known)
    table = _table(figures, source=f"local-{extended.id.rsplit('+', 1)[-1]}") if figures else empty()
    table = sampling_errors(table, framework=extended, population=population)
    table["se_total"] = table["se_sampling"]  # one place's few years say nothing of movement from year to year
    table = check_observations(table, framework=extended, where=report.file, first_row=2)
    return LocalAddition(extended, added, table, report.notes)


def _table(figures: list[Figure], *, source: str) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "indicator_id": [f.indicator for f in figures],
            "area_code": [f.area for f in figures],
            "period": [f.period.label for f in figures],
            "group_type": [f.group_type for f in figures],
            "group": [f.group for f in figures],
            "period_start": [pd.Timestamp(f.period.start) for f in figures],
            "period_end": [pd.Timestamp(f.period.end) for f in figures],
            "status": [f.status for f in figures],
            "flags": [f.period.flags for f in figures],
            **{
                name: [getattr(f, name) for f in figures]
                for name in ("value", "lower", "upper", "level", "numerator", "denominator")
            },
        }
    )
    return conform(
        table.assign(published_code=table["area_code"], se_sampling=np.nan, se_total=np.nan, source_id=source)
    )
