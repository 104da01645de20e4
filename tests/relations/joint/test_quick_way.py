"""The normal at the peak: against simulated truths, closed forms and its own parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chisquare, kstest

from outcomes_analysis.areas.register import upper_tier
from outcomes_analysis.relations.joint import integrating
from outcomes_analysis.relations.joint.coordinates import Coordinates
from outcomes_analysis.relations.joint.laplace import Peak, find_peak
from outcomes_analysis.relations.joint.marginal import domain_draw
from outcomes_analysis.relations.joint.parameters import Layout
from outcomes_analysis.relations.joint.preparing import map_basis
from outcomes_analysis.relations.joint.priors import JointPriors
from outcomes_analysis.relations.joint.simulating import draw_figures, draw_prior
from outcomes_analysis.relations.joint.structure import Structure

PAIRS = np.tril_indices(5, -1)
FAMILIES = ("domain quantities", "loadings", "correlations")


def simulated(make_skeleton, seed: int) -> tuple[Layout, dict[str, np.ndarray]]:
    """Truth from the priors, figures from the truth: 153 areas, 40 indicators, 9 % missing."""
    skeleton = make_skeleton(seed)
    blank = Layout(skeleton, JointPriors())
    rng = np.random.default_rng(10_000 + seed)
    theta = draw_prior(blank, rng)
    natural = blank.natural(theta)
    factors, values = draw_figures(natural, skeleton, rng)
    truth = {"domain quantities": factors.ravel(), "loadings": natural.lam, "correlations": natural.covariance[PAIRS]}
    return Layout(skeleton.with_values(values), JointPriors()), truth


def quick_draws(layout: Layout, peak: Peak, *, draws: int, seed: int) -> dict[str, np.ndarray]:
    """Domain quantities, which cost most, for every fourth draw of the parameters."""
    rng = np.random.default_rng(seed)
    thetas = peak.draws(draws, rng)
    naturals = [layout.natural(theta) for theta in thetas[::4]]
    factors = [domain_draw(n, layout.structure, rng.normal(size=n.mu.shape)).ravel() for n in naturals]
    return {
        "domain quantities": np.array(factors),
        "loadings": layout.loadings(thetas),
        "correlations": np.array([layout.correlation(theta)[PAIRS] for theta in thetas]),
    }


def one_simulation(make_skeleton, seed: int, *, draws: int) -> dict[str, tuple[float, float]] | None:
    """For each family the share of 90 % intervals that hold the truth, and the rank of one truth among the draws.

    None where the fit says of itself that it may not be used.
    """
    layout, truth = simulated(make_skeleton, seed)
    peak = find_peak(layout)
    if peak.problem:
        return None
    drawn = quick_draws(layout, peak, draws=draws, seed=seed)
    rng = np.random.default_rng(seed)
    found = {}
    for family in FAMILIES:
        lower, upper = np.quantile(drawn[family], [0.05, 0.95], axis=0)
        inside = (lower < truth[family]) & (truth[family] < upper)
        one = rng.integers(len(truth[family]))  # one a simulation: ranks of the same simulation hang together
        # at random between its two neighbours, so that ranks are uniform on 0 to 1 and not on steps
        rank = (np.sum(drawn[family][:, one] < truth[family][one]) + rng.uniform()) / (len(drawn[family]) + 1)
        found[family] = (float(inside.mean()), float(rank))
    return found


def test_intervals_hold_the_truth_in_a_few_simulations(make_skeleton):
    found = [f for seed in range(3, 6) if (f := one_simulation(make_skeleton, seed, draws=600))]
    assert len(found) == 3
    shares = {family: np.mean([f[family][0] for f in found]) for family in FAMILIES}
    # 3 x 765, 3 x 40 and 3 x 10 intervals; those of one simulation hang together, as if there were half as many:
    # three Monte Carlo errors are .03, .12 and .23
    assert shares["domain quantities"] == pytest.approx(0.90, abs=0.03)
    assert shares["loadings"] == pytest.approx(0.90, abs=0.12)
    assert shares["correlations"] == pytest.approx(0.90, abs=0.23)


@pytest.mark.slow
def test_intervals_hold_the_truth_and_ranks_are_uniform_over_two_hundred_simulations(make_skeleton):
    found = [f for seed in range(200) if (f := one_simulation(make_skeleton, seed, draws=800))]
    assert len(found) >= 198  # priors give a domain whose indicators point both ways once in a hundred simulations
    for family in FAMILIES:
        share = np.mean([f[family][0] for f in found])
        # what is asked of this model; the Monte Carlo error is .002 to .008
        assert share == pytest.approx(0.90, abs=0.04), family
        ranks = np.array([f[family][1] for f in found])
        # Kolmogorov-Smirnov, and Pearson's chi-squared in ten bins, of some 200 independent ranks. Seeds are fixed, so
        # a level of 1 % says what the tests can find, not how often they fail.
        assert kstest(ranks, "uniform").pvalue > 0.01, family
        assert chisquare(np.histogram(ranks, bins=10, range=(0, 1))[0]).pvalue > 0.01, family


def shares_held(skeleton: Structure, *, seed: int, further: Mapping[str, str]) -> dict[str, float] | None:
    """The share of 90 % intervals that hold the truth, by family.

    ``further`` names parameters to look at besides. None where the fit says of itself that it may not be used.
    """
    blank = Layout(skeleton, JointPriors())
    rng = np.random.default_rng(seed)
    theta = draw_prior(blank, rng)
    factors, values = draw_figures(blank.natural(theta), skeleton, rng)
    layout = Layout(skeleton.with_values(values), JointPriors())
    peak = find_peak(layout)
    if peak.problem:
        return None
    thetas = peak.draws(600, rng)
    pairs = np.tril_indices(len(skeleton.domains), -1)
    every = thetas[::6]  # quantities of domains cost most
    drawn = {
        "domain quantities": [
            domain_draw(layout.natural(t), layout.structure, rng.normal(size=factors.shape)) for t in every
        ],
        "loadings": layout.loadings(thetas),
        "correlations": [layout.correlation(t)[pairs] for t in thetas],
        **{family: layout.take(thetas, name) for family, name in further.items()},
    }
    truth = {
        "domain quantities": factors,
        "loadings": blank.loadings(theta),
        "correlations": blank.correlation(theta)[pairs],
        **{family: blank.take(theta, name) for family, name in further.items()},
    }
    held = {}
    for family, values_of in drawn.items():
        lower, upper = np.quantile(values_of, [0.05, 0.95], axis=0)
        held[family] = float(np.mean((lower < truth[family]) & (truth[family] < upper)))
    return held


def several(make_skeleton, seed: int, *, formative: tuple[int, ...], **other: Any) -> Structure:
    """A skeleton of three domains of six indicators, or of five weighted sums."""
    shape = {"items": 5, "domains": 5} if formative else {"items": 18, "domains": 3}
    return make_skeleton(seed, formative=formative, **shape, **other)


@pytest.mark.slow
@pytest.mark.parametrize("formative", [(), (0, 1, 2, 3, 4)], ids=["reflective", "weighted sums"])
def test_intervals_hold_the_truth_with_several_years(make_skeleton, formative):
    found = []
    for seed in range(25):
        skeleton = several(make_skeleton, seed, formative=formative, areas=120, years=3)
        found.append(shares_held(skeleton, seed=500 + seed, further={"lasting": "lasting"}))
    found = [f for f in found if f]
    assert len(found) >= 20  # short domains of six items point both ways more often than those of eight
    # 25 simulations: Monte Carlo error .005 for quantities, some .02 for loadings and correlations, .06 for rho
    for family, allowed in (("domain quantities", 0.03), ("loadings", 0.07), ("correlations", 0.07), ("lasting", 0.15)):
        assert np.mean([f[family] for f in found]) == pytest.approx(0.90, abs=allowed), family


@pytest.fixture(scope="module")
def our_map() -> tuple[np.ndarray, np.ndarray]:
    """Waves and regions of the authorities that are ranked."""
    areas = upper_tier(ranked_only=True).sort_index()
    return map_basis(areas.index), pd.factorize(areas["region_code"], sort=True)[0]


@pytest.mark.slow
@pytest.mark.parametrize("formative", [(), (0, 1, 2, 3, 4)], ids=["reflective", "weighted sums"])
def test_intervals_hold_the_truth_on_the_map(make_skeleton, our_map, formative):
    basis, region = our_map
    found = []
    for seed in range(5):
        skeleton = several(make_skeleton, seed, formative=formative, areas=len(region))
        skeleton = replace(skeleton, basis=basis, region=region)
        found.append(shares_held(skeleton, seed=700 + seed, further={"share of the map": "spatial"}))
    found = [f for f in found if f]
    assert len(found) >= 4
    # over 20 simulations .88 and .89, .86 and .91, .82 and .88, .75 and .75 were held; Monte Carlo errors with five are
    # .01, .03, .06 and .2, of which three are allowed
    for family, (held, allowed) in {
        "domain quantities": (0.885, 0.035),
        "loadings": (0.885, 0.1),
        "correlations": (0.85, 0.18),
        "share of the map": (0.75, 0.55),
    }.items():
        assert np.mean([f[family] for f in found]) == pytest.approx(held, abs=allowed), family


@pytest.mark.parametrize("waves", [0, 4], ids=["no map", "a map"])
@pytest.mark.parametrize("years", [1, 2])
def test_effects_integrated_out_leave_the_density_of_the_rest(make_skeleton, waves, years):
    shape = {"areas": 30, "items": 8, "domains": 3, "regions": 3, "doublets": ((0, 1),), "formative": (7,)}
    skeleton = make_skeleton(2, years=years, waves=waves, **shape)
    layout = Layout(skeleton, JointPriors())
    rng = np.random.default_rng(0)
    theta = layout.start() + 0.2 * rng.normal(size=layout.size)
    free = layout.integrated
    names = [k for k in ("held", "region_z", "waves") if k in layout.places]
    assert sorted(free) == sorted(k for name in names for k in np.arange(layout.size)[layout.places[name]])
    step = 1e-3 * np.eye(layout.size)[free]  # exactly quadratic in these: no error from the size of the step
    h = -np.array([(layout.log_posterior(theta + s)[1] - layout.log_posterior(theta - s)[1])[free] for s in step])
    expected = layout.log_posterior(theta)[0] - 0.5 * np.linalg.slogdet(h / 2e-3)[1]
    value, gradient = integrating.log_posterior(layout, theta)
    assert value == pytest.approx(expected, abs=1e-7)  # differences of a gradient near 50 round at 1e-12 / 1e-3
    small = 1e-5 * np.eye(layout.size)
    differences = [
        (integrating.log_posterior(layout, theta + s)[0] - integrating.log_posterior(layout, theta - s)[0]) / 2e-5
        for s in small
    ]
    np.testing.assert_allclose(gradient, differences, rtol=1e-6, atol=1e-6)  # as for the density itself
    # at the effects' peak given the rest nothing is left to climb in their direction, and the density is the same one
    profile, slope, moved = integrating.profiled(layout, theta)
    np.testing.assert_allclose(slope[free], 0, atol=1e-8)
    assert profile == pytest.approx(integrating.log_posterior(layout, moved)[0], abs=1e-9)
    assert profile > value


def test_effects_are_drawn_from_their_normal_given_the_rest(make_skeleton):
    layout = Layout(make_skeleton(3, areas=20, items=6, domains=2, regions=3, waves=3), JointPriors())
    rng = np.random.default_rng(1)
    theta = layout.start() + 0.2 * rng.normal(size=layout.size)
    free = layout.integrated
    drawn = np.array([integrating.draw_effects(layout, theta, rng) for _ in range(2000)])
    np.testing.assert_array_equal(np.delete(drawn, free, axis=1), np.delete(np.tile(theta, (2000, 1)), free, axis=1))
    step = 1e-3 * np.eye(layout.size)[free]
    h = (
        -np.array([(layout.log_posterior(theta + s)[1] - layout.log_posterior(theta - s)[1])[free] for s in step])
        / 2e-3
    )
    covariance = np.linalg.inv(h)
    mean = theta[free] + covariance @ layout.log_posterior(theta)[1][free]
    sd = np.sqrt(np.diag(covariance))
    # Monte Carlo errors from 2,000 draws: .022 sd of a mean, .032 of a variance; four of them
    assert np.abs((drawn[:, free].mean(0) - mean) / sd).max() < 0.09
    assert np.abs((np.cov(drawn[:, free].T) - covariance) / np.outer(sd, sd)).max() < 0.13


def test_without_effects_nothing_is_integrated_out(make_skeleton):
    skeleton = make_skeleton(2, areas=20, items=6, domains=2, regions=1)
    bare = Structure(**{**_fields(skeleton), "held": np.zeros((20, 0))})
    layout = Layout(bare, JointPriors())
    assert integrating.log_posterior(layout, layout.start())[0] == layout.log_posterior(layout.start())[0]


def _fields(structure: Structure) -> dict[str, object]:
    return {name: getattr(structure, name) for name in structure.__dataclass_fields__}


def test_coordinates_go_there_and_back_and_count_volume(make_skeleton):
    layout = Layout(make_skeleton(1, areas=12, items=7, domains=3, formative=(6,), regions=2), JointPriors())
    rng = np.random.default_rng(3)
    reference = draw_prior(layout, rng)
    coordinates = Coordinates.about(layout, reference)
    eta = coordinates.of_vector(reference)
    np.testing.assert_allclose(eta[layout.places["loading"]], 0, atol=1e-12)
    eta = eta + 0.3 * rng.normal(size=layout.size)
    theta = coordinates.to_vector(eta)
    np.testing.assert_allclose(coordinates.of_vector(theta), eta, atol=1e-12)
    step = 1e-6
    turn = np.array(
        [
            (coordinates.to_vector(eta + h) - coordinates.to_vector(eta - h)) / (2 * step)
            for h in step * np.eye(len(eta))
        ]
    )
    base = coordinates.of_vector(reference)
    turned = np.array(
        [
            (coordinates.to_vector(base + h) - coordinates.to_vector(base - h)) / (2 * step)
            for h in step * np.eye(len(eta))
        ]
    )
    # "up to a constant": the difference between two points; rounding of differences is 1e-16 / 1e-6
    volume = np.linalg.slogdet(turn)[1] - np.linalg.slogdet(turned)[1]
    assert coordinates.log_volume(eta) - coordinates.log_volume(base) == pytest.approx(volume, abs=1e-7)
    weights = rng.normal(size=layout.size)
    gradient = coordinates.pull_back(eta, theta, weights)
    volume_gradient = np.zeros(layout.size)
    for place in coordinates.places:
        volume_gradient[place[0]] = len(place)
    np.testing.assert_allclose(gradient, turn @ weights + volume_gradient, atol=1e-7)


def test_a_fit_that_came_out_upside_down_is_turned_and_one_that_cannot_be_told_is_not_used(make_skeleton):
    layout, _ = simulated(make_skeleton, 3)
    peak = find_peak(layout)
    turned = layout.turned(peak.theta, 2)
    density = layout.log_posterior(peak.theta)[0] - layout.log_posterior(turned)[0]
    assert density == pytest.approx(layout.sureness_of_sign(peak.theta)[2], abs=1e-8)
    again = find_peak(layout, start=turned)
    np.testing.assert_allclose(again.theta, peak.theta, atol=1e-3)  # two climbs end within 1e-6 of log density
    values = layout.structure.values.copy()
    values[:, :, 0:8:2] *= -1
    values[:, :, 1:8:2] = -values[:, :, 0:8:2] + 0.05 * values[:, :, 1:8:2]  # half of the first domain runs each way
    unsure = find_peak(Layout(layout.structure.with_values(values), JointPriors()))
    assert "domain 0 point both ways" in unsure.problem


def test_reflective_form_at_flat_priors_is_the_published_factor_analysis(gold):
    folder = gold / "models" / "lavaan"
    data = pd.read_csv(folder / "HolzingerSwineford1939.csv")
    values = data[[f"x{k}" for k in range(1, 10)]].to_numpy(float)
    structure = Structure(
        values=values[:, None, :],
        errors=np.zeros((len(values), 1, 9)),
        domain=np.repeat([0, 1, 2], 3),
        doublet=np.full(9, -1),
        formative=np.zeros(9, dtype=bool),
        held=np.zeros((len(values), 0)),
        region=np.zeros(len(values), dtype=int),
        years=np.array([1939]),
        items=tuple(f"x{k}" for k in range(1, 10)),
        domains=("visual", "textual", "speed"),
    )
    layout = Layout(structure, JointPriors(flat=True))
    peak = find_peak(layout)
    assert peak.problem == ""
    natural = layout.natural(peak.theta)
    reference = pd.read_csv(folder / "hs_cfa_stdlv_estimates.csv")
    loadings = reference[reference["op"].eq("=~")].set_index("rhs")["est"]
    own = reference[reference["op"].eq("~~") & reference["lhs"].eq(reference["rhs"])].set_index("lhs")["est"]
    across = reference[reference["op"].eq("~~") & reference["lhs"].ne(reference["rhs"])].set_index(["lhs", "rhs"])[
        "est"
    ]
    sign = np.sign(natural.lam)
    # lavaan 0.6-14 prints six decimals; 1e-3 is the tolerance asked for, and the climb ends far nearer
    np.testing.assert_allclose(np.abs(natural.lam), loadings[list(structure.items)], atol=1e-3)
    np.testing.assert_allclose(natural.psi**2, own[list(structure.items)], atol=1e-3)
    for (first, second), value in across.items():
        a, b = structure.domains.index(first), structure.domains.index(second)
        found = natural.covariance[a, b] * sign[3 * a] * sign[3 * b]
        assert found == pytest.approx(value, abs=1e-3)
