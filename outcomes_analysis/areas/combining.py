"""Figures of merged areas from their parts, and of split areas from their parent. Percentages are never averaged."""

from __future__ import annotations

import numpy as np
import pandas as pd

from outcomes_analysis.areas.succession import required_parts, succession
from outcomes_analysis.framework.model import Framework

PERIOD_KEY = ["indicator_id", "period", "group_type", "group", "source_id"]
COUNTED = ("proportion", "rate", "composition")
# A published rate and its own counts may differ by the rounding of both (counts are often rounded to 5 or 10).
_AGREEMENT = 0.05
_MIDDLE_OF_YEAR = 7  # month: what ends earlier is set against the estimate of the middle of the year before
_ERRORS = ["lower", "upper", "level", "se_sampling", "se_total"]


def fill_waiting(former: pd.DataFrame, *, framework: Framework | None, population: pd.Series | None) -> pd.DataFrame:
    """Give former areas the rates that wait to be made from a count, while their own population is at hand.

    Parameters
    ----------
    former : DataFrame
        Raw rows of former areas, with ``register_code``. A row waits if it is ``estimated``, has a numerator and no
        value.
    framework : Framework, optional
        Gives what a rate is per; without it nothing is filled but the denominator.
    population : Series, optional
        Population aged 0 to 17 indexed by (area code, year); becomes the denominator where there is none.

    Returns
    -------
    DataFrame
        Same rows. What cannot be made still waits.
    """
    waiting = is_figure(former) & former["value"].isna() & former["numerator"].notna()
    if not waiting.any():
        return former
    rows = former[waiting]
    bottom = rows["denominator"].to_numpy(dtype=float)
    bottom = np.where(np.isnan(bottom), _population_of(rows, population), bottom)
    bottom[bottom <= 0] = np.nan
    per = pd.to_numeric(_of_indicator(rows["indicator_id"], framework, "per")).to_numpy(dtype=float)
    filled = former.copy()
    filled.loc[waiting, "denominator"] = bottom
    filled.loc[waiting, "value"] = rows["numerator"].to_numpy(dtype=float) / bottom * per
    return filled


def is_figure(rows: pd.DataFrame) -> pd.Series:
    """Tell rows with a figure, or with the count from which one is to be made, from those without."""
    return rows["value"].notna() | rows["status"].eq("estimated")


def merged(former: pd.DataFrame, *, framework: Framework | None, population: pd.Series | None) -> pd.DataFrame:
    """Make the figures of merged areas from those of their parts.

    Numerators and denominators are summed and divided where every part has both and they give back the parts'
    own values. Where they do not, the parts' values are weighted by their denominators, else by their population
    aged 0 to 17; the result is ``estimated`` and names its weight. With neither there is no value.

    Parameters
    ----------
    former : DataFrame
        Raw rows of former areas, with ``register_code`` beside the published one.
    framework : Framework, optional
        Tells rates from counts and what a rate is per.
    population : Series, optional
        Population aged 0 to 17 indexed by (area code, year of the mid-year estimate).

    Returns
    -------
    DataFrame
        Rows with ``area_code`` of the merged area, and two columns for the report: ``how`` and ``lacking``.
        Missing-value rule: a suppressed part makes the sum suppressed, any other gap makes it not available.
    """
    targets = former["register_code"].map(succession().merged_into)
    parts = former[targets.notna()].assign(area_code=targets.dropna())
    if parts.empty:
        return _nothing(former)
    parts = parts.explode("area_code").reset_index(drop=True)
    parts["area_code"] = parts["area_code"].astype("str")
    pairs = zip(parts["register_code"], parts["area_code"], parts["period_end"], strict=True)
    parts = parts[[code in required_parts(area, date) for code, area, date in pairs]]
    if parts.empty:
        return _nothing(former)
    parts = parts.assign(
        weight=_population_of(parts, population),
        form=_of_indicator(parts["indicator_id"], framework, "form").astype("str").fillna(""),
        per=pd.to_numeric(_of_indicator(parts["indicator_id"], framework, "per")),
    ).reset_index(drop=True)
    return _combined(parts)[[*former.columns.drop("register_code"), "area_code", "how", "lacking"]]


def inherited(former: pd.DataFrame, *, framework: Framework | None) -> pd.DataFrame:
    """Give the successors of a split area its value, marked ``inherited``.

    Only the value is passed on: counts and intervals are the parent's own and say nothing of its parts. A count
    is not passed on at all, for every part would then have the whole.

    Parameters
    ----------
    former : DataFrame
        Raw rows of former areas, with ``register_code`` beside the published one.
    framework : Framework, optional
        Tells counts from the rest.

    Returns
    -------
    DataFrame
        Rows with ``area_code`` of a successor, and two columns for the report: ``how`` and ``lacking``.
    """
    targets = former["register_code"].map(succession().split_into)
    rows = former[targets.notna()].assign(area_code=targets.dropna())
    if rows.empty:
        return _nothing(former)
    rows = rows.explode("area_code").reset_index(drop=True)
    rows["area_code"] = rows["area_code"].astype("str")
    rows[[*_ERRORS, "numerator", "denominator"]] = np.nan
    count = (_of_indicator(rows["indicator_id"], framework, "form") == "count") & rows["value"].notna()
    rows.loc[count, "value"] = np.nan
    rows.loc[count, "status"] = "not_available"
    rows.loc[rows["value"].notna(), "status"] = "inherited"
    rows.loc[rows["value"].isna() & rows["status"].eq("estimated"), "status"] = "not_available"
    rows["how"] = np.where(count, "a count cannot be passed on", "value of the area it was part of")
    rows["lacking"] = ""
    return rows[[*former.columns.drop("register_code"), "area_code", "how", "lacking"]]


def _nothing(former: pd.DataFrame) -> pd.DataFrame:
    empty = former.iloc[:0].drop(columns="register_code")
    return empty.assign(area_code=pd.Series(dtype="str"), how=pd.Series(dtype="str"), lacking=pd.Series(dtype="str"))


def _of_indicator(ids: pd.Series, framework: Framework | None, attribute: str) -> pd.Series:
    known = {} if framework is None else {i.id: getattr(i, attribute) for i in framework.indicators}
    return ids.map(known)


def _population_of(rows: pd.DataFrame, population: pd.Series | None) -> np.ndarray:
    """Population of the mid-year estimate next before the measurement date; the nearest year there is, else NaN."""
    if population is None or population.empty:
        return np.full(len(rows), np.nan)
    wide = population.unstack()
    years = range(int(wide.columns.min()), int(wide.columns.max()) + 1)
    wide = wide.reindex(columns=years).ffill(axis=1).bfill(axis=1)
    end = rows["period_end"]
    year = np.where(end.dt.month < _MIDDLE_OF_YEAR, end.dt.year - 1, end.dt.year).clip(years[0], years[-1])
    row = wide.index.get_indexer(pd.Index(rows["register_code"]))
    found = wide.to_numpy(dtype=float)[row, year - years[0]]
    return np.where(row >= 0, found, np.nan)


def _combined(parts: pd.DataFrame) -> pd.DataFrame:
    """Make one row for each merged figure from its parts."""
    groups = parts.groupby([*PERIOD_KEY, "area_code"], sort=True, dropna=False)
    number = groups.ngroup().to_numpy()
    rows = groups.head(1).iloc[np.argsort(number[groups.head(1).index])].reset_index(drop=True)
    sums = _Sums(parts, number, len(rows))
    rows["lacking"] = _lacking(rows, _gathered(parts["register_code"], number, len(rows)))
    rows["published_code"] = ["+".join(codes) for codes in _gathered(parts["published_code"], number, len(rows))]
    rows["flags"] = [_joined_flags(texts) for texts in _gathered(parts["flags"], number, len(rows))]
    value, how = sums.combine(rows["form"])
    bearable = rows["lacking"].eq("") | (sums.all(~parts["register_code"].str.startswith("E07")) & _districts(rows))
    good = sums.all(is_figure(parts)) & bearable.to_numpy() & (how != "") & (~np.isnan(value) | (how == "counts"))
    exact = (how == "counts") & rows["lacking"].eq("") & sums.all(parts["status"].eq("published"))
    without = np.where(sums.all(parts["status"].ne("suppressed")), "not_available", "suppressed")
    rows["status"] = np.where(good, np.where(exact, "published", "estimated"), without)
    rows["value"] = np.where(good, value, np.nan)
    rows["numerator"] = np.where(good, sums.top, np.nan)
    rows["denominator"] = np.where(good, sums.bottom, np.nan)
    rows["how"] = np.where(sums.all(is_figure(parts)), how, "")
    rows[_ERRORS] = np.nan
    return rows


class _Sums:
    """Sums over the parts of each merged figure; a missing part makes the sum missing."""

    def __init__(self, parts: pd.DataFrame, number: np.ndarray, size: int) -> None:
        self.number, self.size = number, size
        columns = ("value", "numerator", "denominator", "weight", "per")
        self.v, self.t, self.b, self.w, self.per = (parts[name].to_numpy(dtype=float) for name in columns)
        self.top, self.bottom = self.total(self.t), self.total(self.b)

    def total(self, x: np.ndarray) -> np.ndarray:
        return np.bincount(self.number, x, minlength=self.size)

    def all(self, condition: pd.Series | np.ndarray) -> np.ndarray:
        return self.total(~np.asarray(condition, dtype=bool)) == 0

    def combine(self, form: pd.Series) -> tuple[np.ndarray, np.ndarray]:
        """Give the value of each merged figure and how it was made; the first way that can be gone is taken."""
        with np.errstate(divide="ignore", invalid="ignore"):
            per, reproduced = self._per()
            counted = reproduced & form.isin([*COUNTED, ""]).to_numpy()
            by_counts = self.top / self.bottom * per
            by_denominator = self.total(self.v * self.b) / self.bottom
            by_population = self.total(self.v * self.w) / self.total(self.w)
        total = self.total(self.v)
        waiting = np.isnan(total) & ~np.isnan(self.top)  # rates still to be made: their counts are summed, and wait on
        ways = [
            (form.eq("count").to_numpy() & ~np.isnan(total), total, "counts"),
            (waiting, np.full(self.size, np.nan), "counts"),
            (counted, by_counts, "counts"),
            (~np.isnan(by_denominator), by_denominator, "weighted by the parts' denominators"),
            (~np.isnan(by_population), by_population, "weighted by population aged 0 to 17"),
        ]
        can = [way[0] for way in ways]
        value = np.select(can, [way[1] for way in ways], np.nan)
        return value, np.select(can, [way[2] for way in ways], "no counts and no weights")

    def _per(self) -> tuple[np.ndarray, np.ndarray]:
        """What each rate is per, and whether the counts give back the parts' own values."""
        ratio = pd.Series(np.where(self.t > 0, self.v * self.b / self.t, np.nan))
        guess = 10 ** np.round(np.log10(ratio.groupby(self.number).median().to_numpy()))
        known = self.total(self.per) / np.bincount(self.number, minlength=self.size)
        per = np.where(np.isnan(known), guess, known)
        again = self.t / self.b * per[self.number]
        close = np.abs(again - self.v) <= _AGREEMENT * np.abs(self.v) + per[self.number] / self.b
        return per, self.all(close & (self.b > 0))


def _gathered(texts: pd.Series, number: np.ndarray, size: int) -> list[list[str]]:
    found: list[set[str]] = [set() for _ in range(size)]
    for place, text in zip(number, texts, strict=True):
        found[place].add(text)
    return [sorted(group) for group in found]


def _joined_flags(texts: list[str]) -> str:
    return ";".join(sorted({flag for text in texts for flag in text.split(";") if flag}))


def _lacking(rows: pd.DataFrame, present: list[list[str]]) -> list[str]:
    places = zip(rows["area_code"], rows["period_end"], present, strict=True)
    return ["+".join(sorted(required_parts(area, date) - set(codes))) for area, date, codes in places]


def _districts(rows: pd.DataFrame) -> pd.Series:
    """Whether all that is lacking are districts of counties.

    They have no figures of their own in an upper-tier file. That alone is borne (and said) where the other parts are
    upper-tier authorities: Bournemouth and Poole without Christchurch.
    """
    return rows["lacking"].map(lambda text: all(code.startswith("E07") for code in text.split("+"))).astype(bool)
