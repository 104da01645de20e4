"""All parameters as one vector of real numbers: where each stands, its prior, and the log posterior with gradient."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.special import betaln, expit

from outcomes_analysis.relations.joint import lkj
from outcomes_analysis.relations.joint.marginal import Natural, log_density
from outcomes_analysis.relations.joint.priors import JointPriors
from outcomes_analysis.relations.joint.structure import Floats, Ints, Structure

LOG_2PI = float(np.log(2 * np.pi))
UNIT = ("region_z", "waves")  # unit normals by construction, not by choice
MAPPED = ("spatial", "waves")  # only with a map
INTEGRATED = ("held", "region_z", "waves")  # exactly normal given the rest and the figures


@dataclass(frozen=True, eq=False)
class Layout:
    """Where each kind of parameter stands in the vector.

    Attributes
    ----------
    structure : Structure
    priors : JointPriors

    Notes
    -----
    Kinds and their free form: ``level`` as is (years, items); ``loading`` as is (reflective items); ``own``,
    ``stays``, ``shared``, ``spread`` (weighted sums), ``region`` as logarithms; ``held`` as is (covariates, domains);
    ``region_z`` unit normals (regions - 1, domains): regions sum to 0 in each domain, since their mean is the
    items' level; ``partial`` log odds of the partial correlations; ``lasting`` log odds of rho; ``spatial`` log odds
    of phi; ``waves`` unit normals (waves, domains).
    """

    structure: Structure
    priors: JointPriors

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each kind; kinds that the figures do not call for are absent."""
        s = self.structure
        _, t, j = s.shape
        d = len(s.domains)
        reflective = int((~s.formative).sum())
        found: dict[str, tuple[int, ...]] = {
            "level": (t, j),
            "loading": (reflective,),
            "own": (reflective,),
            "shared": (int(self.shared_index.max(initial=-1)) + 1,),
            "stays": (reflective if t > 1 else 0,),
            "spread": (int(s.formative.sum()),),
            "held": (s.held.shape[1], d),
            "region": (d if s.regions > 1 else 0,),
            "region_z": (s.regions - 1, d),
            "partial": (d * (d - 1) // 2,),
            "lasting": (1 if t > 1 else 0,),
            "spatial": (1 if s.basis is not None else 0,),
            "waves": (0 if s.basis is None else s.basis.shape[1], d),
        }
        return {name: shape for name, shape in found.items() if int(np.prod(shape)) > 0}

    @cached_property
    def places(self) -> dict[str, slice]:
        """Where each kind stands."""
        found, start = {}, 0
        for name, shape in self.shapes.items():
            found[name] = slice(start, start + int(np.prod(shape)))
            start = found[name].stop
        return found

    @property
    def size(self) -> int:
        """How many parameters there are."""
        return max(place.stop for place in self.places.values())

    @cached_property
    def shared_index(self) -> Ints:
        """For each item its parameter of ``shared``, -1 for none; a pair has one, for only the product is known."""
        doublet = self.structure.doublet
        index = np.full(len(doublet), -1, dtype=np.int64)
        free = 0
        for name in np.unique(doublet[doublet >= 0]):
            members = np.flatnonzero(doublet == name)
            if len(members) < 2:
                continue
            index[members] = free if len(members) == 2 else free + np.arange(len(members))
            free = int(index.max()) + 1
        return index

    @cached_property
    def contrasts(self) -> Floats:
        """Orthonormal columns that sum to 0, (regions, regions - 1)."""
        r = self.structure.regions
        columns = np.zeros((r, r - 1))
        for k in range(r - 1):
            columns[: k + 1, k] = 1 / np.sqrt((k + 1) * (k + 2))
            columns[k + 1, k] = -np.sqrt((k + 1) / (k + 2))
        return columns

    @cached_property
    def effects(self) -> Floats:
        """Design of the expected domain quantities, (areas, columns): covariates, regions' contrasts, waves."""
        s = self.structure
        return np.hstack([s.held, self.contrasts[s.region], *([] if s.basis is None else [s.basis])])

    @cached_property
    def crossed(self) -> Floats:
        """Products of every two columns of it, (areas, columns * columns)."""
        return (self.effects[:, :, None] * self.effects[:, None, :]).reshape(len(self.effects), -1)

    @cached_property
    def integrated(self) -> Ints:
        """Where the parameters stand that are exactly normal given the rest, in the order of the design's columns."""
        spans = [self.places[name] for name in INTEGRATED if name in self.places]
        return np.concatenate([np.arange(0), *(np.arange(span.start, span.stop) for span in spans)])

    @cached_property
    def not_in_h(self) -> Ints:
        """Where the parameters stand that how much the figures tell does not depend on: levels and effects."""
        level = self.places["level"]
        return np.concatenate([np.arange(level.start, level.stop), self.integrated])

    @cached_property
    def off_the_map(self) -> Ints:
        """Where the parameters stand that the same model without a map has, in its order."""
        spans = [place for name, place in self.places.items() if name not in MAPPED]
        return np.concatenate([np.arange(span.start, span.stop) for span in spans])

    def without_map(self) -> Layout:
        """The same model without a map; itself if it has none."""
        return self if self.structure.basis is None else replace(self, structure=replace(self.structure, basis=None))

    @cached_property
    def _normal(self) -> tuple[Floats, Floats, Ints, float]:
        """Centre and scale of every normal prior, where in the vector it applies, and the priors' constant."""
        kinds = self.priors.kinds()
        centre, scale, where = [], [], []
        for name, place in self.places.items():
            if name == "partial":
                continue
            width = place.stop - place.start
            prior = None if name in UNIT else kinds[name]
            centre.append(np.full(width, 0.0 if prior is None else prior.centre))
            scale.append(np.full(width, 1.0 if prior is None else prior.scale))
            where.append(np.arange(place.start, place.stop))
        scales = np.concatenate(scale)
        constant = -float(np.log(scales).sum()) - 0.5 * len(scales) * LOG_2PI
        if "partial" in self.places:
            constant -= float(np.sum(betaln(self.partial_shapes, self.partial_shapes)))
        return np.concatenate(centre), scales, np.concatenate(where), constant

    @cached_property
    def partial_shapes(self) -> Floats:
        """Shape of the Beta prior of each partial correlation."""
        return lkj.shapes(len(self.structure.domains), self.priors.eta)

    def take(self, theta: Floats, name: str) -> Floats:
        """One kind out of the vector (or out of draws of it, along the last axis); empty if there is none."""
        if name not in self.places:
            return np.zeros((*theta.shape[:-1], 0))
        return theta[..., self.places[name]].reshape(*theta.shape[:-1], *self.shapes[name])

    def start(self) -> Floats:
        """Where to begin: priors' centres, but each item's level at its mean."""
        centre, _, where, _ = self._normal
        theta = np.zeros(self.size)
        theta[where] = centre
        values = self.structure.values
        present = np.isfinite(values)
        levels = np.where(present, values, 0.0).sum(axis=0) / np.maximum(present.sum(axis=0), 1)
        theta[self.places["level"]] = levels.ravel()
        return theta

    def log_prior(self, theta: Floats) -> tuple[float, Floats]:
        """Log prior density of the vector (on its own free scale) and its gradient."""
        gradient = np.zeros_like(theta)
        if self.priors.flat:
            return 0.0, gradient
        centre, scale, where, constant = self._normal
        z = (theta[where] - centre) / scale
        value = constant - 0.5 * float(z @ z)
        gradient[where] = -z / scale
        if "partial" in self.places:
            free, b = theta[self.places["partial"]], self.partial_shapes
            # log u + log(1 - u) at log odds x is -x - 2 log(1 + e^-x)
            value += float(np.sum(b * (-free - 2 * np.logaddexp(0, -free))))
            gradient[self.places["partial"]] = b * (1 - 2 * expit(free))
        return value, gradient

    def sureness_of_sign(self, theta: Floats) -> Floats:
        """By how much log density each domain's quantities are likelier as they are than turned upside down.

        Turned round with their loadings, effects and correlations they fit the figures just as well; only the prior of
        the loadings tells up from down. Infinite for a weighted sum, whose sign is given.
        """
        s = self.structure
        found = np.full(len(s.domains), np.inf)
        prior = self.priors.kinds()["loading"]
        sums = np.bincount(s.domain[~s.formative], weights=self.take(theta, "loading"), minlength=len(found))
        reflective = np.isin(np.arange(len(found)), s.domain[~s.formative])
        found[reflective] = 2 * prior.centre / prior.scale**2 * sums[reflective]
        return found

    def turned(self, theta: Floats, domain: int) -> Floats:
        """The same fit with one reflective domain upside down."""
        s = self.structure
        turned = theta.copy()
        loads = self.places["loading"].start + np.flatnonzero(s.domain[~s.formative] == domain)
        turned[loads] *= -1
        for name in ("held", "region_z", "waves"):
            if name in self.places:
                columns = np.arange(self.places[name].start, self.places[name].stop).reshape(self.shapes[name])
                turned[columns[:, domain]] *= -1
        if "partial" in self.places:
            rows, columns = lkj.pairs(len(s.domains))
            turned[self.places["partial"].start + np.flatnonzero((rows == domain) != (columns == domain))] *= -1
        return turned

    def correlation(self, theta: Floats) -> Floats:
        """Correlation of the domains given what is allowed for and the region."""
        low = self.cholesky(theta)
        return low @ low.T

    def cholesky(self, theta: Floats) -> Floats:
        """Lower Cholesky factor of it."""
        return lkj.cholesky(self.take(theta, "partial"), len(self.structure.domains))

    def region_effects(self, theta: Floats) -> Floats:
        """Regions' departures, (regions, domains); zeros with one region."""
        d = len(self.structure.domains)
        if "region" not in self.places:
            return np.zeros((self.structure.regions, d))
        return self.contrasts @ self.take(theta, "region_z") * np.exp(self.take(theta, "region"))

    def loadings(self, theta: Floats) -> Floats:
        """Loadings of all items; of a weighted sum its spread given what is allowed for."""
        formative = self.structure.formative
        lam = np.empty((*theta.shape[:-1], len(formative)))
        lam[..., ~formative] = self.take(theta, "loading")
        lam[..., formative] = np.exp(self.take(theta, "spread"))
        return lam

    def shared(self, theta: Floats) -> Floats:
        """Loadings on what doublets share; 0 for items alone."""
        found = np.zeros((*theta.shape[:-1], len(self.shared_index)))
        inside = self.shared_index >= 0
        found[..., inside] = np.exp(self.take(theta, "shared"))[..., self.shared_index[inside]]
        return found

    def own(self, theta: Floats, name: str = "own") -> Floats:
        """Sds of the items' own parts (or, with ``stays``, of what they keep); 0 where there is none."""
        formative = self.structure.formative
        found = np.zeros((*theta.shape[:-1], len(formative)))
        if name in self.places:
            found[..., ~formative] = np.exp(self.take(theta, name))
        return found

    def between_years(self, theta: Floats) -> Floats:
        """Correlation between years of domain quantities, AR(1) on calendar years."""
        if "lasting" not in self.places:
            return np.ones((1, 1))
        rho = expit(float(self.take(theta, "lasting")[0]))
        return np.asarray(rho**self.structure.gaps)

    def unstructured(self, theta: Floats) -> float:
        """Share of variance that does not follow the map, 1 - phi; 1 without space."""
        return 1.0 if "spatial" not in self.places else float(expit(-self.take(theta, "spatial")[0]))

    def expected(self, theta: Floats) -> Floats:
        """Expected domain quantities, (areas, domains): deprivation, region and, with space, the map."""
        s = self.structure
        mean = self.region_effects(theta)[s.region]
        if "held" in self.places:
            mean = mean + s.held @ self.take(theta, "held")
        if s.basis is not None:
            share = 1 - self.unstructured(theta)
            mean = mean + np.sqrt(share) * (s.basis @ self.take(theta, "waves")) @ self.cholesky(theta).T
        return np.asarray(mean)

    def natural(self, theta: Floats) -> Natural:
        """The parameters as the density wants them."""
        t = self.structure.shape[1]
        lasting = self.between_years(theta)
        omega = self.correlation(theta)
        return Natural(
            alpha=self.take(theta, "level"),
            lam=self.loadings(theta),
            psi=self.own(theta),
            gam=self.shared(theta),
            sig=self.own(theta, "stays"),
            mu=np.repeat(self.expected(theta), t, axis=1),
            lasting=lasting,
            covariance=np.asarray(omega if t == 1 else np.kron(omega, lasting)) * self.unstructured(theta),
        )

    def log_posterior(self, theta: Floats) -> tuple[float, Floats]:
        """Log posterior density on the free scale, up to a constant, and its gradient.

        Returns
        -------
        (float, array)
            Minus infinity and zeros where the density cannot be computed.
        """
        natural = self.natural(theta)
        value, g = log_density(natural, self.structure)
        if not np.isfinite(value):
            return -np.inf, np.zeros_like(theta)
        prior, gradient = self.log_prior(theta)
        return value + prior, gradient + self.pull_back(theta, natural, g)

    def pull_back(self, theta: Floats, natural: Natural, g: Natural) -> Floats:
        """Gradient with respect to the vector from that with respect to the parameters in their own units."""
        gradient = np.zeros_like(theta)
        self._add_measurement(gradient, natural, g)
        self._add_domains(gradient, theta, natural, g)
        return gradient

    def _add_measurement(self, gradient: Floats, natural: Natural, g: Natural) -> None:
        s = self.structure
        gradient[self.places["level"]] += g.alpha.ravel()
        parts = {
            "loading": g.lam[~s.formative],
            "spread": (g.lam * natural.lam)[s.formative],
            "own": (g.psi * natural.psi)[~s.formative],
            "stays": (g.sig * natural.sig)[~s.formative],
        }
        for name, part in parts.items():
            if name in self.places:
                gradient[self.places[name]] += part
        if "shared" in self.places:
            inside = self.shared_index >= 0
            np.add.at(gradient[self.places["shared"]], self.shared_index[inside], (g.gam * natural.gam)[inside])

    def _add_domains(self, gradient: Floats, theta: Floats, natural: Natural, g: Natural) -> None:
        s = self.structure
        n, t, _ = s.shape
        d = len(s.domains)
        g_mean = g.mu.reshape(n, d, t).sum(axis=2)
        if "held" in self.places:
            gradient[self.places["held"]] += (s.held.T @ g_mean).ravel()
        if "region" in self.places:
            by_region = np.zeros((s.regions, d))
            np.add.at(by_region, s.region, g_mean)
            tau = np.exp(self.take(theta, "region"))
            gradient[self.places["region_z"]] += (self.contrasts.T @ by_region * tau).ravel()
            gradient[self.places["region"]] += (by_region * self.region_effects(theta)).sum(axis=0)
        low, lasting, share = self.cholesky(theta), natural.lasting, self.unstructured(theta)
        blocks = g.covariance.reshape(d, t, d, t)
        g_omega = (g.covariance if t == 1 else np.einsum("atbs,ts->ab", blocks, lasting)) * share
        g_low = 2 * g_omega @ low
        if s.basis is not None:
            waves = self.take(theta, "waves")
            root = np.sqrt(1 - share)
            field = s.basis @ waves
            g_low += root * g_mean.T @ field
            gradient[self.places["waves"]] += (root * s.basis.T @ (g_mean @ low)).ravel()
            toward_map = float(np.sum(g_mean * (field @ low.T))) / (2 * root)
            toward_map -= float(np.sum(g.covariance * natural.covariance)) / share
            gradient[self.places["spatial"]] += toward_map * share * (1 - share)
        if "partial" in self.places:
            gradient[self.places["partial"]] += lkj.pull_back(g_low, self.take(theta, "partial"), d)
        if "lasting" in self.places:
            rho = expit(float(self.take(theta, "lasting")[0]))
            g_lasting = np.einsum("atbs,ab->ts", blocks, low @ low.T) * share + g.lasting
            slope = s.gaps * rho ** np.maximum(s.gaps - 1, 0)
            gradient[self.places["lasting"]] += float(np.sum(g_lasting * slope)) * rho * (1 - rho)
