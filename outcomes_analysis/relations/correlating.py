"""Every correlation of a question: raw and with each confounder held alike, with and without London, compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from outcomes_analysis.relations.asking import Asked, computed, withheld
from outcomes_analysis.relations.correlation import Correlation, Method, correlate, difference

PLAIN: tuple[Method, ...] = ("spearman", "pearson")
DRAWN_AGAIN = "percentiles of authorities drawn again"
Case = tuple[str, str, str]  # analysis, adjusted_for, sample


@dataclass(frozen=True, eq=False)
class Correlated:
    """The correlations of one question.

    Attributes
    ----------
    rows : list of dict
        Rows of the result's table.
    found : dict
        Each correlation with its draws, by analysis, ``adjusted_for`` and sample.
    """

    rows: list[dict[str, Any]]
    found: dict[Case, Correlation]

    def compared(self, *, level: float) -> pd.DataFrame:
        """How far each correlation lies from the one it is read beside, with the interval of that difference.

        Returns
        -------
        DataFrame
            ``analysis, adjusted_for, sample`` of the one, ``with_adjusted_for, with_sample`` of the other,
            ``estimate, lower, upper, level`` of the first less the second. With something held alike beside nothing
            held alike, without London beside all, each with the rest the same.
        """
        rows = []
        for (analysis, alike, sample), one in self.found.items():
            for beside in ((analysis, "", sample), (analysis, alike, "all")):
                if beside == (analysis, alike, sample) or beside not in self.found:
                    continue
                apart = difference(one, self.found[beside], level=level)
                rows.append((analysis, alike, sample, beside[1], beside[2], *apart, level))
        names = ["analysis", "adjusted_for", "sample", "with_adjusted_for", "with_sample"]
        return pd.DataFrame(rows, columns=[*names, "estimate", "lower", "upper", "level"])


def correlated(asked: Asked) -> Correlated:
    """Work out every correlation of a question.

    Raises
    ------
    RelationError
        If a variable is constant or given by another.
    """
    rows: list[dict[str, Any]] = []
    found: dict[Case, Correlation] = {}
    for sample, controls, reason in asked.cases():
        shared = asked.shared(sample, controls) | {"scale": "correlation", "unit": "correlation"}
        if reason:
            rows += [withheld({**shared, "analysis": method}, reason) for method in PLAIN]
            continue
        data = asked.assembled.data
        x, y = data[asked.spec.predictor].to_numpy(float), data[asked.spec.outcome].to_numpy(float)
        held = data[list(controls)].to_numpy(float) if controls else None
        keep = asked.keep(sample)
        for method in PLAIN:
            one = correlate(
                x,
                y,
                draws=asked.drawn,
                controls=held,
                keep=None if keep.all() else keep,
                method=method,
                level=asked.level,
            )
            found[method, shared["adjusted_for"], sample] = one
            rows.append(computed({**shared, "analysis": method}, *one[:3], method=DRAWN_AGAIN))
    return Correlated(rows, found)
