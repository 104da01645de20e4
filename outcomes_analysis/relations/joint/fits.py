"""One fit of the joint model: the peak, and draws near it or sampled from it on; sampled ones kept on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from outcomes_analysis.relations.joint.laplace import SURE_OF_SIGN, Peak, find_peak
from outcomes_analysis.relations.joint.parameters import Layout
from outcomes_analysis.relations.joint.preparing import Form, JointFigures
from outcomes_analysis.relations.joint.priors import JointPriors
from outcomes_analysis.relations.joint.structure import Floats
from outcomes_analysis.relations.pair.fits import key_of, load_fit, save_fit
from outcomes_analysis.relations.pair.posteriors import Method, Posterior

QUICK_DRAWS = 1000  # a 5 % quantile of a correlation of sd .1 then has a Monte Carlo error of .007
CODE = tuple(str(path) for path in sorted(Path(__file__).parent.glob("*.py")))


@dataclass(frozen=True, eq=False)
class Fitted:
    """One fit: the model as laid out, draws of its parameters, and whether they may be used.

    Attributes
    ----------
    layout : Layout
    thetas : array (draws, size)
        Empty where there is a problem.
    diagnostics : dict
    problem : str
        Why nothing may be said from it; empty if something may.
    peak : Peak
        Where the posterior is highest.
    """

    layout: Layout
    thetas: Floats
    diagnostics: dict[str, Any]
    problem: str
    peak: Peak

    def many(self, count: int, rng: np.random.Generator) -> Floats:
        """As many draws as asked for by the quick way, or all there are of sampled ones."""
        return self.peak.draws(count, rng) if self.diagnostics["method"] == "laplace" else self.thetas


def fit_once(
    figures: JointFigures,
    forms: Mapping[str, Form],
    priors: JointPriors,
    rng: np.random.Generator,
    *,
    method: Method = "laplace",
    settings: Mapping[str, Any] | None = None,
    folder: Path | None = None,
) -> Fitted:
    """The peak, and draws near it or sampled from it on."""
    layout = Layout(figures.in_forms(forms), priors)
    peak = find_peak(layout)
    unsure = layout.sureness_of_sign(peak.theta) if peak.problem else np.full(len(layout.structure.domains), np.inf)
    upside = [d for d, s in zip(layout.structure.domains, unsure, strict=True) if s < SURE_OF_SIGN]
    quick: dict[str, Any] = {
        "method": "laplace",
        "decrement": peak.decrement,
        "parameters": layout.size,
        "upside_down": upside,
    }
    if peak.problem:
        return Fitted(layout, np.zeros((0, layout.size)), quick, peak.problem, peak)
    if method == "laplace":
        return Fitted(layout, peak.draws(QUICK_DRAWS, rng), {**quick, "draws": QUICK_DRAWS}, "", peak)
    assert settings is not None
    assert folder is not None
    posterior = _sampled(layout, peak, figures.hash, forms, settings, folder)
    thetas = posterior.draws["theta"]
    return Fitted(
        layout,
        thetas.reshape(-1, layout.size),
        {**posterior.diagnostics, "parameters": layout.size, "upside_down": []},
        posterior.problem,
        peak,
    )


def _sampled(
    layout: Layout, peak: Peak, data: str, forms: Mapping[str, Form], settings: Mapping[str, Any], folder: Path
) -> Posterior:
    """The sampled posterior, from disk if it was fitted before."""
    asked = {**settings, "forms": dict(forms), "priors": layout.priors.to_dict()}
    key = key_of(data=data, settings=asked, code=CODE)
    path = folder / f"joint-{key}.nc"
    if path.exists():
        return load_fit(path, key=key, names=("theta",))
    from outcomes_analysis.relations.joint.bayes import sample

    posterior = sample(layout, peak, **settings)
    save_fit(posterior, key=key, path=path)
    return posterior
