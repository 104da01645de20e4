"""A specification in words: a methods paragraph that says what is usual briefly and what is not in full."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from outcomes_analysis.index.specifying.choices import Choice
from outcomes_analysis.index.specifying.spec_parts import Reference
from outcomes_analysis.index.steps.means import PowerMean
from outcomes_analysis.index.steps.stepping import Method
from outcomes_analysis.wording import listed

if TYPE_CHECKING:
    from outcomes_analysis.index.specifying.specification import IndexSpec

_MEANS = {
    "arithmetic": "the average",
    "geometric": "the geometric mean",
    "harmonic": "the harmonic mean",
    "generalised": "a power mean",
    "median": "the median",
    "mazziotta_pareto": "the average less a penalty for parts that differ (Mazziotta and Pareto)",
    "copeland": "the number of places beaten less those lost to (Copeland)",
}
_NORMALISATIONS = {
    "zscore": "its distance from the average in standard deviations",
    "minmax": "its place between the lowest and the highest value",
    "rank": "its rank",
}
_WEIGHTS = {
    "equal": "with equal weight",
    "given": "with weights as given",
    "people": "with weights that people gave",
    "pca": "with weights from principal components",
    "factor": "with weights from one common factor",
    "optimised": "with weights that give each part its intended importance",
}


def described(spec: IndexSpec) -> str:
    """Put a specification in words."""
    parts = [_before(spec), _scale(spec), _upwards(spec), _gaps(spec)]
    if spec.contested == "exclude":
        parts.append("Contested indicators are left out.")
    if spec.exclude:
        parts.append(f"Left out by name: {listed(spec.exclude)}.")
    if spec.include:
        ways = dict(spec.directions)
        named = [f"{n} ({'higher' if ways[n] > 0 else 'lower'} is better)" if n in ways else n for n in spec.include]
        parts.append(f"Taken in by name: {listed(named)}.")
    return " ".join(part for part in parts if part)


def _before(spec: IndexSpec) -> str:
    """What is done to the figures before they come to one scale."""
    found = []
    if spec.denominate is not None:
        verb = "divided" if spec.denominate.function == "divide" else "multiplied"
        found.append(f"Before anything else, {listed([f'{n} is {verb} by {by}' for n, by in spec.denominate.by])}.")
    if _does_something(spec.impute):
        filled = _by_name(spec.impute, lambda method: f"by {_told(method)}")
        found.append(f"Gaps are filled {filled}; filled figures do not count as present.")
    if spec.screen is not None and "availability" in spec.screen.by:
        found.append(f"Places with less than {spec.screen.availability:.0%} of the indicators are left out.")
    if _does_something(spec.treat):
        found.append(f"Outliers are brought in {_by_name(spec.treat, lambda method: f'by {_told(method)}')}.")
    return " ".join(found)


def _scale(spec: IndexSpec) -> str:
    default = spec.normalise.default
    if isinstance(default, Reference):
        unit = ""
        if (default.mean, default.sd) != (0.0, 1.0):
            unit = f" (England is {default.mean:g} and a standard deviation {default.sd:g})"
        text = (
            "Each indicator is put on a scale on which its errors are about even. It is then expressed as its distance "
            "from England in the indicator's base period, in standard deviations between authorities in that "
            f"period{unit}. The sign is set so that higher is better."
        )
        if spec.cap is not None:
            text += f" No figure counts as further than {spec.cap:g} of these from England."
    else:
        how = _NORMALISATIONS.get(default.key(), f"a score by the method '{_told(default)}'")
        text = f"Each indicator is expressed as {how}, with the sign set so that higher is better."
    named = [f"{name} by {_told(method)}" for name, method in spec.normalise.named]
    return text + (f" Otherwise: {listed(named)}." if named else "")


def _upwards(spec: IndexSpec) -> str:
    mean = _mean(spec.aggregate.default)
    weights = _WEIGHTS[spec.weights.default.key()]
    with_all = f"all {weights}" if spec.weights.default.key() == "equal" else weights
    text = (
        f"An outcome is {mean} of its indicators and a domain {mean} of its outcomes, {with_all}; "
        "indicators that measure nearly the same thing share one weight."
    )
    others = [f"{name} is {_mean(method)} of its parts" for name, method in spec.aggregate.named]
    others += [f"the parts of {name} count {_WEIGHTS[method.key()]}" for name, method in spec.weights.named]
    if others:
        text += f" But {listed(others)}."
    if spec.rescale is not None:
        text += (
            f" Each node is brought to mean {spec.rescale.mean:g} and standard deviation {spec.rescale.sd:g} of the "
            "base year before it goes up."
        )
    return text


def _gaps(spec: IndexSpec) -> str:
    text = (
        f"Where a figure is missing the others stand in for it, unless less than {spec.availability:.0%} of the "
        "domain's weight is present: then the domain is not computed."
    )
    named = [f"{name} {share:.0%}" for name, share in spec.availability_of]
    return text + (f" Otherwise: {listed(named)}." if named else "")


def _mean(method: Method) -> str:
    words = _MEANS[method.key()]
    if isinstance(method, PowerMean) and (method.offset, method.factor) != (0.0, 1.0):
        words += f" (taken of {method.offset:g} + {method.factor:g} times the score, and brought back)"
    return words


def _told(method: Method) -> str:
    given = method.model_dump(mode="json", exclude_defaults=True)
    given.pop("method", None)
    own = ", ".join(f"{name} {value}" for name, value in given.items())
    return method.key().replace("_", " ") + (f" ({own})" if own else "")


def choice_told(value: object) -> str:
    """One field of a specification, briefly: the method, and where another one holds."""
    if isinstance(value, Choice):
        named = [f"{_told(method)} for {name}" for name, method in value.named]
        return "; ".join([_told(value.default), *named])
    if isinstance(value, Method):
        return _told(value)
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None or value == "" else str(value)


def _does_something(choice: Choice) -> bool:
    return any(method.key() != "none" for method in choice.methods)


def _by_name(choice: Choice, say: Callable[[Method], str]) -> str:
    named = [f"{say(method)} for {name}" for name, method in choice.named]
    return listed([*([] if choice.default.key() == "none" else [say(choice.default)]), *named])
