"""Networks, specification curves, priors and fans, read back out of the picture: what holds is drawn, and no more."""

from __future__ import annotations

import re
import sys
from itertools import combinations, pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.errors import FigureError
from outcomes_analysis.figures.charts import fans, multiverses, networks, priors
from outcomes_analysis.figures.drawing import rows, theme
from outcomes_analysis.figures.drawing.columns import Canvas
from outcomes_analysis.framework.loading import load_framework
from outcomes_analysis.relations.spec_curve.choices import DIMENSIONS, Choice
from outcomes_analysis.sources.release import load_observations
from outcomes_analysis.wording import causal_words

sys.path.insert(0, str(Path(__file__).parent))
import drawn

AS_AT = "2026-04-08"
SIZES = ("page", "column")
NODES = ("attainment8", "gld_pct", "persistent_absence", "susp_rate", "y6_obesity", "cla_rate")
HELD = {("attainment8", "gld_pct"): 0.35, ("attainment8", "persistent_absence"): -0.25, ("gld_pct", "cla_rate"): -0.05}
MANIFEST = SimpleNamespace(data_as_at=AS_AT)


def _links(alike: str) -> pd.DataFrame:
    rows = []
    for one, other in combinations(NODES, 2):
        estimate = HELD.get((one, other), 0.02)
        half = 0.04 if (one, other) in HELD else 0.1
        rows.append((one, other, "all", alike, estimate, estimate - half, estimate + half))
    names = ["node", "other", "sample", "adjusted_for", "estimate", "lower", "upper"]
    return pd.DataFrame(rows, columns=names).assign(level=0.9, status="computed", reason="", n=151)


@pytest.fixture(scope="module")
def linked() -> SimpleNamespace:
    table = pd.concat([_links(""), _links("child_poverty_ahc")], ignore_index=True)
    return SimpleNamespace(table=table, spec=SimpleNamespace(years=(2024,)), manifest=MANIFEST)


@pytest.fixture(scope="module")
def web(linked):
    return networks.network(linked)


def _paths(svg: str, *, stroke: str, width: str) -> list[drawn.Shape]:
    return [s for s in drawn.shapes(svg) if s.stroke.upper() == stroke.upper() and s.width == width]


def _points(d: str) -> np.ndarray:
    return np.array([[float(v) for v in pair] for pair in re.findall(r"(-?[\d.]+),(-?[\d.]+)", d)])


def test_only_links_that_hold_are_drawn_with_width_for_strength_and_dashes_for_sign(web):
    positive, negative = networks.SIGNS[1][0], networks.SIGNS[-1][0]
    svg = web.svg()
    assert [len(_paths(svg, stroke=positive, width=w)) for w in ("0.8", "1.8", "3.2", "5")] == [0, 0, 0, 1]
    assert [len(_paths(svg, stroke=negative, width=w)) for w in ("0.8", "1.8", "3.2", "5")] == [1, 0, 1, 0]
    dashed = [p for p in drawn.root_of(svg).iter(f"{drawn.SVG}path") if p.get("stroke-dasharray") == "5,3"]
    assert len(dashed) == 2
    assert web.data["holds"].sum() == 3
    assert len(web.data) == 15
    assert "3 of 15 pairs" in web.title
    assert web.alt.count("90% interval") == 3


def test_links_end_at_their_figures_and_figures_keep_apart(web):
    """Each curve starts and ends where a mark stands; the marks are those of the six figures."""
    svg = web.svg()
    marks = [m for m in drawn.marks(svg) if m.fill == theme.INK.upper()]
    nodes = np.array([[m.x, m.y] for m in marks][-6:])
    curves = [
        _points(node.get("d", "")) + np.array([x, y])
        for node, x, y in drawn.placed(svg)
        if node.tag == f"{drawn.SVG}path" and node.get("stroke-width") in {"0.8", "3.2", "5"}
    ]
    assert len(curves) == 3
    for curve in curves:
        for end in (curve[0], curve[-1]):
            assert np.abs(nodes - end).sum(axis=1).min() < 0.05  # both are rounded to hundredths of a pixel
    apart = [np.hypot(*(a - b)) for a, b in combinations(nodes, 2)]
    assert min(apart) > 12


def test_a_network_says_what_is_held_alike_and_what_is_contested(web, linked):
    assert "child poverty after housing costs" in web.title
    assert "child poverty" not in networks.network(linked, given="").title
    assert any(note.startswith("Contested") and "suspensions" in note for note in web.notes)
    assert "Suspensions (contested)" in " ".join(drawn.texts(web.svg()))
    with pytest.raises(FigureError, match="fsm_pct"):
        networks.network(linked, given="fsm_pct")
    withheld = SimpleNamespace(table=linked.table.assign(status="withheld", reason="too few"), spec=linked.spec)
    with pytest.raises(FigureError, match="too few"):
        networks.network(withheld)


@pytest.fixture(scope="module")
def curve() -> SimpleNamespace:
    rng = np.random.default_rng(3)
    rows = []
    for outcome in ("attainment8", "ks2_rwm"):
        for held in ("", "child_poverty_ahc"):
            for sample in ("all", "without_london"):
                for scale in ("as_published", "ranks"):
                    estimate = -0.5 + 0.3 * (held != "") + 0.1 * rng.normal()
                    rows.append((outcome, "persistent_absence", 2024, held, sample, scale, "line", 151, estimate))
    table = pd.DataFrame(rows, columns=[*DIMENSIONS, "n", "estimate"])
    table = table.assign(lower=table["estimate"] - 0.15, upper=table["estimate"] + 0.15, level=0.9, status="computed")
    table["place"] = table["estimate"].rank()
    joint = pd.DataFrame(
        {"null": ["separate", "neighbours"] * 3, "statistic": ["median"] * 2 + ["same_sign"] * 2 + ["clear"] * 2,
         "null_lower": [-0.05, -0.12] * 3, "null_upper": [0.05, 0.13] * 3, "p_value": 0.01}
    )  # fmt: skip
    spec = SimpleNamespace(
        outcomes=tuple(Choice(v, "why") for v in ("attainment8", "ks2_rwm")),
        predictors=(Choice("persistent_absence", "why"),),
    )
    computed = table.sort_values("place", ignore_index=True)
    return SimpleNamespace(table=table, joint=joint, spec=spec, computed=computed, manifest=MANIFEST)


@pytest.fixture(scope="module")
def sorted_answers(curve):
    return multiverses.specification_curve(curve)


def test_every_answer_is_drawn_in_order_with_its_interval(sorted_answers, curve):
    svg = sorted_answers.svg()
    marks = drawn.marks(svg)[-16:]
    assert [m.x for m in marks] == sorted(m.x for m in marks)
    heights, values = np.array([m.y for m in marks]), curve.computed["estimate"].to_numpy()
    slope, base = np.polyfit(values, heights, 1)
    assert slope < 0
    np.testing.assert_allclose(slope * values + base, heights, atol=0.02)  # pixels are rounded to hundredths
    intervals = drawn.strokes(svg, width="1.6")
    assert len(intervals) == 16
    for line, low, high in zip(intervals, curve.computed["lower"], curve.computed["upper"], strict=True):
        np.testing.assert_allclose([line[1], line[3]], [slope * low + base, slope * high + base], atol=0.03)
    unclear = (curve.computed["lower"] <= 0) & (curve.computed["upper"] >= 0)
    assert [m.fill == theme.PAPER.upper() for m in marks] == unclear.tolist()
    assert f"{int((curve.computed['upper'] < 0).sum())} of 16" in sorted_answers.title


@pytest.mark.parametrize(
    ("chances", "starts", "note"),
    [
        ([0.01, 0.02, 0.03], "In ", "By all three"),
        ([0.01, 0.2, 0.03], "In ", "By the middle answer and how many are clear the answers go beyond"),
        ([0.2, 0.3, 0.03], "Whether ", "by the middle answer and how many are of one sign they do not"),
        ([0.4, 0.2, 0.3], "No association", "By none of the three"),
    ],
)
def test_the_title_says_what_the_answers_say_together(curve, chances, starts, note):
    joint = curve.joint.assign(p_value=np.repeat(chances, 2))
    figure = multiverses.specification_curve(SimpleNamespace(**{**vars(curve), "joint": joint}), data_as_at=AS_AT)
    assert figure.title.startswith(starts)
    assert any(note in said for said in figure.notes)


def test_the_panel_marks_each_answer_once_in_every_choice(sorted_answers, curve):
    """The strokes under the curve cover each place once for each choice with more than one option, by its option."""
    svg = sorted_answers.svg()
    marks = drawn.marks(svg)[-16:]
    step = marks[1].x - marks[0].x
    strokes = drawn.strokes(svg, width="5.5")
    rows = sorted({round(s[1], 1) for s in strokes})
    assert len(rows) == 8  # two options of four choices; predictor, year and line have one each and are left out
    labels = drawn.texts(svg)
    assert not {"2024", "authorities alike"} & set(labels)
    covered = {y: [any(s[0] < m.x < s[2] for s in strokes if round(s[1], 1) == y) for m in marks] for y in rows}
    for one, other in zip(rows[::2], rows[1::2], strict=True):
        assert [a != b for a, b in zip(covered[one], covered[other], strict=True)] == [True] * 16
    alike = (curve.computed["adjusted_for"] == "").tolist()
    assert covered[rows[2]] == alike
    assert abs(sum(s[2] - s[0] for s in strokes) - 4 * 16 * step) < 0.5


def test_the_band_without_an_association_is_that_of_the_stricter_null(sorted_answers):
    svg = sorted_answers.svg()
    marks, answers = drawn.marks(svg)[-16:], sorted_answers.data.sort_values("place")["estimate"].to_numpy()
    slope, base = np.polyfit(answers, [m.y for m in marks], 1)
    band = [
        (_points(n.get("d", "")), y)
        for n, _, y in drawn.placed(svg)
        if n.tag == f"{drawn.SVG}path" and n.get("fill") == "#E3E3E3" and n.get("stroke") == "#FFFFFF"
    ]
    top, height = re.search(r"M[\d.-]+,([\d.-]+)h[\d.]+v([\d.]+)", [
        n.get("d", "") for n, _, _ in drawn.placed(svg)
        if n.tag == f"{drawn.SVG}path" and n.get("fill") == "#E3E3E3" and n.get("stroke") == "#FFFFFF"
    ][-1]).groups()  # fmt: skip
    ends = np.array([float(top), float(top) + float(height)]) + band[-1][1]
    np.testing.assert_allclose(ends, slope * np.array([0.13, -0.12]) + base, atol=0.05)
    assert "as like their neighbours as they are" in " ".join(sorted_answers.notes)


def _assumed() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "parameter": ["level of safe in 2024", "correlation of safe and happy given deprivation and region"],
            "kind": ["level", "partial"],
            "prior_lower": [-1.6, -0.6],
            "prior_upper": [1.6, 0.6],
            "estimate": [-0.1, 0.2],
            "lower": [-0.2, -0.3],
            "upper": [0.0, 0.55],
            "level": 0.9,
        }
    )


def test_the_range_assumed_lies_behind_the_interval_on_one_scale():
    figure = priors.prior_posterior(_assumed(), data_as_at=AS_AT)
    svg = figure.svg()
    marks, lines = drawn.marks(svg), drawn.strokes(svg, width="1.3")
    across = np.polyfit([0.2, -0.1], [marks[-2].x, marks[-1].x], 1)
    boxes = [
        (x + float(found[1]), float(found[2]))
        for node, x, _ in drawn.placed(svg)
        if (node.get("fill") or "") == rows._BEHIND
        and (found := re.search(r"M([\d.-]+),[\d.-]+h([\d.]+)", node.get("d", "")))
    ][-2:]
    order = [1, 0]  # correlations stand first
    for box, line, row in zip(boxes, lines, _assumed().iloc[order].itertuples(), strict=True):
        want = np.polyval(across, [row.prior_lower, row.prior_upper, row.lower, row.upper])
        got = [box[0], box[0] + box[1], line[0], line[2]]
        np.testing.assert_allclose(got, want, atol=0.05)
    assert figure.title.startswith("For 1 of 2 quantities")
    assert "Correlation of safe and happy" in drawn.texts(svg)


def test_experimental_domains_are_named_beside_what_was_assumed():
    domains = pd.DataFrame({"quantity": "domain", "domain": ["safe", "happy"], "experimental": [False, True]})
    result = SimpleNamespace(priors=_assumed(), table=domains, manifest=MANIFEST)
    assert priors.prior_posterior(result).notes[0].startswith("Happy is experimental")
    plain = SimpleNamespace(priors=_assumed(), table=domains.assign(experimental=False), manifest=MANIFEST)
    assert not any("experimental" in note for note in priors.prior_posterior(plain).notes)


def test_what_lies_outside_the_range_assumed_and_what_has_another_scale_is_said():
    plain = priors.prior_posterior(_assumed(), data_as_at=AS_AT)
    assert not any("Outside" in note or note.startswith("*") for note in plain.notes)
    row = {"parameter": "deprivation and healthy", "kind": "held", "estimate": -1.98, "lower": -2.4, "upper": -1.5}
    more = pd.concat([_assumed(), pd.DataFrame([{**_assumed().iloc[0], **row}])], ignore_index=True)
    notes = " ".join(priors.prior_posterior(more, data_as_at=AS_AT).notes)
    assert "Outside the 90% range assumed: deprivation and healthy." in notes
    assert (
        "* 1 = one standard deviation of a domain between authorities of one region with similar deprivation" in notes
    )


def test_priors_without_their_columns_or_of_no_such_kind_are_refused():
    with pytest.raises(FigureError, match="prior_lower"):
        priors.prior_posterior(_assumed().drop(columns="prior_lower"), data_as_at=AS_AT)
    with pytest.raises(FigureError, match="no quantities of kind loading"):
        priors.prior_posterior(_assumed(), kinds=["loading"], data_as_at=AS_AT)


ESSEX = "E10000012"


def _forecast(indicator: str = "gld_pct") -> SimpleNamespace:
    """A fan by hand from Essex's newest figure in the release, whose middle is the same in every year."""
    middle = {"no_change": 70.0, "recent_drift": 72.0, "to_target": 76.0}
    ends, fan = [], []
    for scenario, value in middle.items():
        chance = np.nan if scenario == "to_target" else 0.3
        row = {"area_code": ESSEX, "name": "Essex", "scenario": scenario, "estimate": value, "lower": value - 4}
        ends.append(row | {"upper": value + 4, "level": 0.9, "chance": chance, "reason": ""})
        for level, half in ((0.9, 4.0), (0.5, 1.5)):
            fan += [
                {"area_code": ESSEX, "scenario": scenario, "year": year, "estimate": value, "lower": value - half,
                 "upper": value + half, "level": level, "interval": "scenario"}
                for year in (2026, 2027, 2028)
            ]  # fmt: skip
    spec = SimpleNamespace(indicator_id=indicator, target=75.0, year=2028)
    measure = load_framework().indicator(indicator)
    return SimpleNamespace(
        table=pd.DataFrame(ends), fan=pd.DataFrame(fan), spec=spec, indicator=measure, manifest=MANIFEST
    )


@pytest.fixture(scope="module")
def fan():
    return fans.trajectory_fan(_forecast(), "Essex")


def test_a_fan_has_two_bands_for_each_scenario_and_they_are_areas(fan):
    """A band cut into pieces of no width is drawn without an error, and cannot be seen."""
    bands = [s for s in drawn.shapes(fan.svg()) if s.fill in fans._LEVELS and s.stroke.upper() != "#FFFFFF"]
    assert len(bands) == 6
    for band in bands:
        points = _points(band.d)
        assert len(points) == 8  # the newest figure and three years, there and back
        x, y = points.T
        area = abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2
        assert area > 100
    outer, inner = (_points(b.d) for b in bands[:2])
    assert np.ptp(outer[:, 1]) > np.ptp(inner[:, 1])


def test_a_fan_shows_the_published_figures_and_never_joins_them_over_a_break(fan):
    rows = load_observations()
    mine = rows[(rows["indicator_id"] == "gld_pct") & (rows["area_code"] == ESSEX) & (rows["group"] == "all")]
    known = mine.dropna(subset="value")
    published = known.set_index(known["period_end"].dt.year)["value"]
    so_far = fan.data[fan.data["scenario"] == ""].set_index("year")
    assert so_far["estimate"].to_dict() == published.reindex(so_far.index).to_dict()
    assert {2020, 2021}.isdisjoint(so_far.index)
    dots = [m for m in drawn.marks(fan.svg()) if m.fill == theme.DUO[0].upper()][-len(so_far) :]
    slope, base = np.polyfit(so_far["estimate"], [d.y for d in dots], 1)
    np.testing.assert_allclose(slope * so_far["estimate"] + base, [d.y for d in dots], atol=0.02)
    joined = [s for s in drawn.strokes(fan.svg(), width="1.3") if s[0] >= dots[0].x - 0.1]
    following = sum(b - a == 1 for a, b in pairwise(so_far.index))
    assert len(joined) == following  # 2019 to 2022 is not joined, which is where the break lies
    assert drawn.texts(fan.svg()).count("break") == 3


@pytest.mark.parametrize("indicator", ["attainment8", "neet_16_17"])
def test_neither_a_break_nor_a_year_left_out_is_joined(indicator):
    """Attainment 8 has breaks between years that follow each other; those out of education lack two years, without one."""
    figure = fans.trajectory_fan(_forecast(indicator), "Essex")
    years = figure.data.loc[figure.data["scenario"] == "", "year"].tolist()
    breaks = {int(b.period[:4]) + 1 for b in load_framework().indicator(indicator).breaks}
    assert bool(breaks) == (indicator == "attainment8")
    assert any(b - a > 1 for a, b in pairwise(years))
    dots = [m for m in drawn.marks(figure.svg()) if m.fill == theme.DUO[0].upper()][-len(years) :]
    starts = {round(s[0], 1) for s in drawn.strokes(figure.svg(), width="1.3") if s[0] >= dots[0].x - 0.1}
    for (year, dot), (after, _) in pairwise(zip(years, dots, strict=True)):
        assert (round(dot.x, 1) in starts) == (after - year == 1 and after not in breaks), (year, after)


def test_a_fan_names_its_scenarios_the_chance_and_the_target(fan):
    texts = drawn.texts(fan.svg())
    assert "If England stayed where it is" in texts
    assert sum("chance of reaching" in t for t in texts) == 2  # none where the path is given
    assert any("target, 75.0%" in t for t in texts)
    assert "scenario and not a forecast" in " ".join(fan.notes)
    contested = fans.trajectory_fan(_forecast("susp_rate"), "Essex")
    assert "(contested)" in contested.title
    assert "target" not in " ".join(drawn.texts(contested.svg())).replace("came to the target", "")


def test_a_place_without_a_forecast_is_refused_with_the_reason():
    result = _forecast()
    result.table = result.table.assign(estimate=np.nan, reason="its newest figure is missing")
    with pytest.raises(FigureError, match="newest figure is missing"):
        fans.trajectory_fan(result, "Essex")
    with pytest.raises(FigureError, match="nothing about Kent"):
        fans.trajectory_fan(_forecast(), "Kent")


def test_a_course_runs_through_its_points_in_the_order_given():
    canvas = Canvas(width=50, height=50)
    canvas.course([{"x": 30.0, "y": 5.0}, {"x": 10.0, "y": 20.0}, {"x": 40.0, "y": 45.0}], width=1, colour="#000000")
    from outcomes_analysis.figures.drawing.composing import draw

    line = next(s for s in drawn.shapes(draw(canvas.chart())) if s.stroke == "#000000")
    assert _points(line.d).tolist() == [[30, 5], [10, 20], [40, 45]]


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["web", "sorted_answers", "fan", "assumed"])
def test_texts_fit_do_not_overlap_and_claim_nothing(name, size, request):
    figure = (
        priors.prior_posterior(_assumed(), data_as_at=AS_AT) if name == "assumed" else request.getfixturevalue(name)
    )
    again = figure if size == "page" else figure.at(size)
    svg = again.svg()
    assert len(drawn.texts(svg)) > 8
    assert drawn.overlaps(svg, theme.text_width) == []
    assert drawn.outside(svg, theme.text_width) == []
    assert not causal_words(again.title)
    assert not causal_words(again.alt)
    assert len(again.alt) > 100
