"""The density with domain quantities integrated out: against brute force, and its gradient against differences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta, kstest, multivariate_normal

from outcomes_analysis.errors import RelationError, SpecError
from outcomes_analysis.relations.joint import lkj
from outcomes_analysis.relations.joint.marginal import Natural, area_log_density, domain_draw, log_density
from outcomes_analysis.relations.joint.parameters import Layout
from outcomes_analysis.relations.joint.priors import JointPriors, Prior
from outcomes_analysis.relations.joint.simulating import draw_figures, draw_prior
from outcomes_analysis.relations.joint.structure import Structure

# One year and several, on the map and not, with pairs and larger groups of near-duplicates, all three forms together
CASES = {
    "one year": {"doublets": ((0, 1), (4, 5, 6))},
    "several years": {"years": 3, "doublets": ((0, 1), (4, 5, 6))},
    "on the map": {"waves": 7, "doublets": ((0, 1),)},
    "weighted sums": {"items": 3, "formative": (0, 1, 2), "domains": 3},
    "both forms": {"items": 9, "formative": (8,), "doublets": ((0, 1, 2),), "years": 2, "waves": 5},
}


@pytest.fixture(params=CASES, ids=lambda name: name.replace(" ", "-"))
def layout(request, make_skeleton) -> Layout:
    case = {"areas": 24, "items": 12, "domains": 3, "regions": 4, **CASES[request.param]}
    return Layout(make_skeleton(5, **case), JointPriors())


@pytest.fixture
def theta(layout) -> np.ndarray:
    rng = np.random.default_rng(9)
    return layout.start() + 0.3 * rng.normal(size=layout.size)


def covariance_of_one_area(natural: Natural, s: Structure, area: int) -> np.ndarray:
    """Everything an area's figures have in common, entry by entry from the model's lines."""
    _, years, items = s.shape
    cells = [(t, j) for t in range(years) for j in range(items)]
    found = np.zeros((len(cells), len(cells)))
    for a, (t, j) in enumerate(cells):
        for b, (u, k) in enumerate(cells):
            twins = j == k or (s.doublet[j] >= 0 and s.doublet[j] == s.doublet[k])
            quantity = natural.covariance[s.domain[j] * years + t, s.domain[k] * years + u]
            value = natural.lam[j] * natural.lam[k] * quantity
            if twins:
                value += natural.gam[j] * natural.gam[k] * natural.lasting[t, u]
            if twins and t == u:
                value += s.errors[area, t, j] * s.errors[area, u, k]
            if j == k:
                value += natural.sig[j] ** 2 + (natural.psi[j] ** 2 if t == u else 0.0)
            found[a, b] = value
    return found


def brute_force(natural: Natural, s: Structure) -> np.ndarray:
    n, years, _ = s.shape
    found = np.zeros(n)
    for area in range(n):
        by_year = natural.mu[area].reshape(len(s.domains), years).T  # years by domains
        mean = natural.alpha + natural.lam * by_year[:, s.domain]
        seen = np.isfinite(s.values[area].ravel())
        if seen.any():
            covariance = covariance_of_one_area(natural, s, area)[np.ix_(seen, seen)]
            found[area] = multivariate_normal(mean.ravel()[seen], covariance).logpdf(s.values[area].ravel()[seen])
    return found


def test_density_is_the_dense_normal_of_all_figures_of_each_area(layout, theta):
    natural = layout.natural(theta)
    # two exact ways to the same numbers of some tens: rounding of determinants is about 1e-13
    np.testing.assert_allclose(
        area_log_density(natural, layout.structure), brute_force(natural, layout.structure), rtol=0, atol=1e-9
    )


def test_an_area_without_figures_adds_nothing(make_skeleton):
    structure = make_skeleton(1, areas=6, items=6, domains=2, regions=2)
    structure.values[2] = np.nan
    layout = Layout(structure, JointPriors())
    assert area_log_density(layout.natural(layout.start()), structure)[2] == pytest.approx(0, abs=1e-12)


def test_gradient_is_that_of_differences(layout, theta):
    value, gradient = layout.log_posterior(theta)
    step = 1e-5
    differences = np.array(
        [
            (layout.log_posterior(theta + h)[0] - layout.log_posterior(theta - h)[0]) / (2 * step)
            for h in step * np.eye(layout.size)
        ]
    )
    assert np.isfinite(value)
    # differences of a density near -500 round at 500 x 1e-16 / 1e-5 = 5e-9 and are off by h² f''' / 6, about as much
    np.testing.assert_allclose(gradient, differences, rtol=1e-6, atol=1e-6)


def test_a_covariance_that_is_none_gives_no_number(make_skeleton):
    structure = make_skeleton(1, areas=5, items=4, domains=2, regions=2)
    layout = Layout(structure, JointPriors())
    natural = layout.natural(layout.start())
    broken = Natural(**{**vars(natural), "covariance": np.array([[1.0, 2.0], [2.0, 1.0]])})
    assert np.isnan(log_density(broken, structure)[0])
    assert np.isnan(area_log_density(broken, structure)).all()


def test_domain_quantities_are_drawn_from_their_conditional_normal(layout, theta):
    s, natural = layout.structure, layout.natural(theta)
    _, years, items = s.shape
    rng = np.random.default_rng(2)
    drawn = np.array([domain_draw(natural, s, rng.normal(size=natural.mu.shape)) for _ in range(4000)])
    for area in (0, 7):
        seen = np.isfinite(s.values[area].ravel())
        loadings = np.zeros((years * items, natural.mu.shape[1]))
        for t in range(years):
            loadings[t * items + np.arange(items), s.domain * years + t] = natural.lam
        across = natural.covariance @ loadings[seen].T
        gain = across @ np.linalg.inv(covariance_of_one_area(natural, s, area)[np.ix_(seen, seen)])
        by_year = natural.mu[area].reshape(len(s.domains), years).T
        left = (s.values[area] - natural.alpha - natural.lam * by_year[:, s.domain]).ravel()[seen]
        mean = natural.mu[area] + gain @ left
        covariance = natural.covariance - gain @ across.T
        np.testing.assert_allclose(domain_draw(natural, s, np.zeros_like(natural.mu))[area], mean, atol=1e-9)
        # Monte Carlo error of a covariance from 4,000 draws of sd at most 1 is .02
        np.testing.assert_allclose(np.cov(drawn[:, area].T), covariance, atol=0.08)


def test_partial_correlations_give_a_correlation_matrix_and_its_gradient():
    rng = np.random.default_rng(4)
    free = rng.normal(size=10)
    low = lkj.cholesky(free, 5)
    np.testing.assert_allclose(np.diag(low @ low.T), 1, atol=1e-14)
    # by definition: the last pair's partial correlation given all before is the entry of the normed inverse
    precision = np.linalg.inv(low @ low.T)
    partial = -precision[4, 3] / np.sqrt(precision[4, 4] * precision[3, 3])
    assert partial == pytest.approx(np.tanh(free[-1] / 2), abs=1e-12)
    weights = rng.normal(size=(5, 5))

    def value(x: np.ndarray) -> float:
        return float(np.sum(weights * lkj.cholesky(x, 5)))

    differences = [(value(free + h) - value(free - h)) / 2e-6 for h in 1e-6 * np.eye(10)]
    np.testing.assert_allclose(lkj.pull_back(weights, free, 5), differences, atol=1e-8)  # rounding 1e-16 / 1e-6


def test_the_prior_of_a_correlation_is_lkj(make_skeleton):
    layout = Layout(make_skeleton(0, areas=6, items=10, regions=2), JointPriors())
    rng = np.random.default_rng(11)
    drawn = np.array([layout.correlation(draw_prior(layout, rng)) for _ in range(4000)])
    # Lewandowski et al. 2009: every correlation alone is 2 Beta(b, b) - 1 with b = eta - 1 + n / 2
    b = 2 - 1 + 5 / 2
    for row, column in zip(*np.tril_indices(5, -1), strict=True):
        assert kstest(drawn[:, row, column], beta(b, b, -1, 2).cdf).pvalue > 1e-3


def test_log_prior_integrates_to_one(make_skeleton):
    layout = Layout(make_skeleton(0, areas=6, items=3, domains=3, regions=2), JointPriors())
    at = layout.start()
    value, _ = layout.log_prior(at)
    for name, place in layout.places.items():
        grid = np.linspace(-14, 14, 2001)
        density = [layout.log_prior(np.where(np.arange(layout.size) == place.start, g, at))[0] for g in grid]
        area = np.trapezoid(np.exp(np.array(density) - value), grid)
        if name == "partial":
            b = layout.partial_shapes[0]
            height = beta(b, b).pdf(0.5) * 0.25  # of the log odds at 0
        else:
            prior = layout.priors.kinds().get(name, Prior(0, 1, "itself", ""))
            offset = (at[place.start] - prior.centre) / prior.scale
            height = np.exp(-0.5 * offset**2) / np.sqrt(2 * np.pi) / prior.scale
        assert area * height == pytest.approx(1, rel=1e-4), name  # the grid's own error


def test_figures_drawn_have_the_covariance_of_the_model(make_skeleton):
    structure = make_skeleton(3, areas=4000, years=2, items=6, domains=2, regions=1, missing=0, doublets=((0, 1),))
    structure.errors[:] = structure.errors[0]
    layout = Layout(structure, JointPriors())
    drawn = layout.natural(draw_prior(layout, np.random.default_rng(1)))
    # every part large enough to be missed
    large = {"gam": np.where(structure.doublet >= 0, 0.9, 0.0), "sig": np.full(6, 0.8), "psi": np.full(6, 0.7)}
    natural = Natural(**{**vars(drawn), **large})
    _, values = draw_figures(natural, structure, np.random.default_rng(2))
    by_year = natural.mu.reshape(4000, 2, 2).transpose(0, 2, 1)
    left = (values - natural.alpha - natural.lam * by_year[:, :, structure.domain]).reshape(4000, -1)
    wanted = covariance_of_one_area(natural, structure, 0)
    # Monte Carlo error of an entry from 4,000 areas: sqrt(2 / 4,000) of the variances
    allowed = 4 * np.sqrt(2 / 4000) * np.sqrt(np.outer(np.diag(wanted), np.diag(wanted)))
    assert (np.abs(np.cov(left.T) - wanted) < allowed).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"errors": -1.0}, "no known error, or a negative one"),
        ({"values": 3.0}, "the same in every area"),
        ({"held": np.nan}, "allowed for is missing"),
        ({"years": np.array([2024, 2020])}, "years must increase"),
        ({"domains": ("a", "b", "nowhere")}, "no item speaks to nowhere"),
        ({"region": np.zeros(3, dtype=int)}, "region do not fit"),
        ({"formative": np.array([True, False, False, False])}, "has other items beside it"),
    ],
)
def test_figures_that_cannot_be_fitted_are_refused(make_skeleton, change, words):
    given = vars(make_skeleton(1, areas=8, years=2, items=4, domains=2, regions=2)).copy()
    for name, value in change.items():
        given[name] = value if isinstance(value, np.ndarray | tuple) else np.full_like(given[name], value)
    with pytest.raises(RelationError, match=words):
        Structure(**given)


def test_a_weighted_sum_taken_to_be_exact_is_refused(make_skeleton):
    given = vars(make_skeleton(1, areas=8, items=2, domains=2, regions=2)).copy()
    given |= {"formative": np.array([True, True]), "errors": np.zeros_like(given["errors"])}
    with pytest.raises(RelationError, match="errors of 0"):
        Structure(**given)


def test_priors_need_a_width():
    with pytest.raises(SpecError, match="loading, eta"):
        JointPriors(loading=Prior(0.5, 0.0, "itself", "none"), eta=0)
