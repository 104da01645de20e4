"""Which way numbers run, whom they are compared with, and that no contested measure is called good or bad."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.figures import findings, standing
from outcomes_analysis.figures.charts import ranks, tables
from outcomes_analysis.figures.drawing import theme
from outcomes_analysis.figures.mapping import maps
from outcomes_analysis.framework.loading import load_framework

sys.path.insert(0, str(Path(__file__).parent))
import drawn

AS_AT = "2026-04-08"
ENGLAND = 0.4


def _measure(scores: pd.DataFrame, node: str, *, contested: bool) -> pd.DataFrame:
    """The scores of a domain, given out as those of a single measure."""
    rows = scores[scores["node_id"] == "learning"].assign(node_id=node, node_label=node, kind="indicator")
    if contested:
        rows["status"] = rows["status"].replace("computed", "not_ranked")
    return rows


def _dated(scores: pd.DataFrame, england: float = ENGLAND) -> pd.DataFrame:
    """Scores that say where England stands at their own date."""
    above, below = scores["lower"] > england, scores["upper"] < england
    said = np.select([scores["lower"].isna(), above, below], ["", "above", "below"], default="not clear")
    return scores.assign(england=england, against_england=said)


@pytest.fixture(scope="module")
def admissions(scores):
    return _measure(_dated(scores), "mh_admissions_0_17", contested=True)


@pytest.fixture(scope="module", params=[maps.choropleth, maps.hex_map])
def contested(request, admissions):
    return request.param(admissions, node="mh_admissions_0_17", classes="against", data_as_at=AS_AT)


def test_a_place_with_fewer_admissions_is_never_said_to_have_more(contested, admissions):
    """Scores of admissions run against admissions: a high score is a low rate."""
    scored = admissions.set_index("area_code")
    data = contested.data.set_index("area_code")
    fewer = data.index[data["map_class"] == "Clearly fewer than England"]
    more = data.index[data["map_class"] == "Clearly more than England"]
    assert set(fewer) == set(scored.index[scored["against_england"] == "above"])
    assert set(more) == set(scored.index[scored["against_england"] == "below"])
    assert len(more)
    assert contested.title.endswith(
        f"{len(more)} of 148 authorities with clearly more than England, {len(fewer)} with clearly fewer"
    )
    # What is drawn is the figure itself, so that its numbers and bounds run as the words do.
    assert np.allclose(data.loc[fewer, "estimate"], -scored.loc[fewer, "estimate"])
    assert np.allclose(data.loc[fewer, "lower"], -scored.loc[fewer, "upper"])
    assert (data["upper"].dropna() > data["lower"].dropna()).all()
    assert set(data["england"].round(6)) == {-ENGLAND}
    assert set(data["higher_means"]) == {"more"}


def test_a_contested_measure_is_neither_better_nor_worse_in_words_or_colours(contested):
    svg = contested.svg()
    fills = {shape.fill.upper() for shape in drawn.areas(svg)}
    assert set(theme.NEUTRAL_AGAINST) <= fills
    assert fills.isdisjoint({theme.AGAINST[0], theme.AGAINST[2]})
    said = [*drawn.texts(svg), contested.alt, contested.title]
    words = " ".join(w for w in said if "neither" not in w).lower()
    for judging in ("better", "worse", "fifth", "best"):
        assert judging not in words.replace("which way is better", "")
    assert "(contested)" in contested.title
    assert any("Admissions are not prevalence" in note for note in contested.notes)  # why it is contested


def test_the_key_of_a_contested_measure_runs_from_more_to_fewer(admissions):
    words = " ".join(drawn.texts(maps.hex_map(admissions, node="mh_admissions_0_17", data_as_at=AS_AT).svg()))
    assert words.index("Clearly more than") < words.index("Not clear") < words.index("Clearly fewer than")


def test_a_measure_with_an_agreed_direction_keeps_its_score_whichever_way_it_runs(scores):
    """Infant deaths: fewer is better without dispute, and the score says so already."""
    rows = _measure(_dated(scores), "infant_mort", contested=False)
    figure = maps.choropleth(rows, node="infant_mort", classes="against", data_as_at=AS_AT)
    data = figure.data.set_index("area_code")["map_class"]
    better = set(rows.loc[rows["against_england"] == "above", "area_code"])
    assert set(data.index[data == "Clearly better than England"]) == better
    assert {s.fill.upper() for s in drawn.areas(figure.svg())} >= set(theme.AGAINST)
    assert "contested" not in figure.title


@pytest.mark.parametrize("indicator", [i for i in load_framework().indicators if i.contested], ids=lambda i: i.id)
def test_every_contested_indicator_of_the_framework_is_read_in_its_own_direction(scores, indicator):
    sense = standing.sense_of(_measure(scores, indicator.id, contested=True), indicator.id)
    assert not sense.agreed
    assert sense.sign == indicator.direction
    assert indicator.contested in sense.note
    turned = standing.turned(scores, sense)
    assert np.allclose(turned["estimate"].dropna(), indicator.direction * scores["estimate"].dropna())


def test_ranks_withheld_for_noise_are_said_and_the_scores_are_still_drawn(scores):
    """``withheld`` is a rank that is not given, not a figure that the publisher keeps back."""
    rows = _measure(_dated(scores), "infant_mort", contested=False)
    reason = "reliability 0.42, below 0.7"
    rows = rows.assign(status=rows["status"].replace("computed", "withheld"), withheld=reason)
    figure = maps.choropleth(rows, node="infant_mort", data_as_at=AS_AT)
    assert "(not ranked)" in figure.title
    assert any(reason in note for note in figure.notes)
    classes = set(figure.data["map_class"])
    assert "Clearly better than England" in classes
    assert not any("publisher" in c or "fifth" in c for c in classes)
    domain = rows.assign(node_id="safe", kind="domain")
    assert standing.sense_of(domain, "safe").mark == "not ranked"
    assert standing.sense_of(domain.assign(withheld="experimental: parts"), "safe").mark == "experimental"


def test_places_are_compared_with_england_of_the_same_date_and_not_with_the_base(scores):
    dated = _dated(scores)
    learning = scores[(scores["node_id"] == "learning") & scores["estimate"].notna()]
    better, worse = int((learning["lower"] > ENGLAND).sum()), int((learning["upper"] < ENGLAND).sum())
    assert better != int((learning["lower"] > 0).sum())
    words = f"{better} of 148 authorities clearly better than England, {worse} clearly worse"
    figure = maps.choropleth(dated, node="learning", classes="against", data_as_at=AS_AT)
    assert figure.title == f"Learning: {words}"
    key = " ".join(drawn.texts(figure.svg()))
    assert f"Clearly better than England ({better})" in key
    for said in (figure.subtitle, key):
        assert "0 = England in the base period" in said
        assert "for the same date is 0.40" in said


def test_the_column_of_the_index_decides_and_the_interval_only_where_it_is_silent(scores):
    rows = _dated(scores).query("node_id == 'safe'").copy()
    better = rows.index[rows["against_england"] == "above"][0]
    rows.loc[better, "against_england"] = "below"
    signs = standing.signs(rows)
    assert signs[better] == -1.0
    bare = standing.signs(rows.drop(columns="against_england")).dropna()
    known = rows.loc[bare.index]
    assert (bare == (known["lower"] > ENGLAND) * 1.0 - (known["upper"] < ENGLAND) * 1.0).all()
    blank = standing.signs(rows.assign(against_england=""))
    assert (blank.dropna() == standing.signs(rows.drop(columns="against_england")).dropna()).all()
    assert signs[rows["estimate"].isna()].isna().all()


def test_ranks_and_the_table_compare_with_the_same_england_as_the_maps(scores):
    dated = _dated(scores)
    ranking = ranks.rank_intervals(dated, node="learning", data_as_at=AS_AT)
    marks = [s for s in drawn.shapes(ranking.svg()) if s.width == "0.9" and s.fill.upper() == theme.AGAINST[2]]
    learning = dated[dated["node_id"] == "learning"]
    assert len(marks) - 1 == int((learning["against_england"] == "above").sum())  # one stands in the key
    table = tables.domain_heat_table(dated, data_as_at=AS_AT)
    assert f"{len(marks) - 1} of 148 clearly better" in table.alt.split("Learning")[1]
    assert "Le = Learning (0.40)" in " ".join(drawn.texts(table.svg()))
    for figure in (ranking, table):
        assert "clearly better than England" in " ".join([*drawn.texts(figure.svg()), figure.alt])
        assert " above England" not in figure.alt


def test_regions_in_the_alt_text_add_up_to_the_title(scores):
    rows = _dated(scores).query("node_id == 'safe'")
    sentence = findings.region_sentence(rows)
    better = sum(int(part.split(" better")[0].split()[-1]) for part in sentence.split(": ", 1)[1].split(". "))
    assert better == standing.against_counts(rows)[0]


def _result(scores: pd.DataFrame, weights: dict[str, float], node: str) -> SimpleNamespace:
    """As much of an index as its figures read: scores, weights and the framework."""
    scored = SimpleNamespace(kind="domain", weights=pd.DataFrame({"weight": weights}))
    matrix = SimpleNamespace(framework=load_framework())
    return SimpleNamespace(
        table=scores, nodes={node: scored}, matrix=matrix, manifest=SimpleNamespace(data_as_at=AS_AT)
    )


def test_the_share_of_contested_weight_is_said_on_map_ranks_and_table(scores):
    weights = {"susp_rate": 0.25, "perm_excl_rate": 0.125, "absence_overall": 0.625}
    result = _result(_dated(scores), weights, "engaged")
    for figure in (
        maps.choropleth(result, node="engaged"),
        maps.hex_map(result, node="engaged"),
        ranks.rank_intervals(result, node="engaged"),
        tables.domain_heat_table(result),
    ):
        assert any("carry 38% of the weight of Engaged." in note for note in figure.notes)
        assert "higher is better" in figure.subtitle.lower() or "the highest score" in figure.subtitle
    agreed = _result(scores, {"absence_overall": 1.0}, "engaged")
    assert not any("ontested" in note for note in maps.choropleth(agreed, node="engaged").notes)


def test_a_measure_that_has_no_draws_is_mapped_from_the_index_behind_them(scores, admissions):
    index = SimpleNamespace(table=admissions, nodes={"mh_admissions_0_17": SimpleNamespace(kind="indicator")})
    unc = SimpleNamespace(table=scores, index=index, manifest=SimpleNamespace(data_as_at=AS_AT))
    figure = maps.hex_map(unc, node="mh_admissions_0_17")
    assert "clearly more than England" in figure.title


def test_letters_in_hexagons_are_explained_in_the_data(scores):
    figure = maps.hex_map(scores, node="learning", data_as_at=AS_AT)
    letters = figure.data.set_index("area_name")["abbreviation"]
    assert letters.is_unique
    assert letters["Hackney"] == "Hack"
    assert set(letters) <= set(drawn.texts(figure.svg()))
    assert any("abbreviation" in note for note in figure.notes)


def _disputed(scores: pd.DataFrame) -> pd.DataFrame:
    """Scores of which every third clear verdict, and every third that is none, turns without contested indicators."""
    dated = _dated(scores)
    third = np.arange(len(dated)) % 3 == 0
    whole = dated["against_england"]
    turned = whole.map({"above": "not clear", "below": "above", "not clear": "below", "": ""})
    agreed = whole.mask(third, turned)
    said = whole.where(whole == agreed, standing.DEPENDS)
    return dated.assign(against_england_agreed=agreed, standing=said, estimate_agreed=0.1, england_alike=ENGLAND)


@pytest.mark.parametrize("draw", [maps.choropleth, maps.hex_map])
def test_a_verdict_that_depends_on_disputed_figures_has_a_class_of_its_own(scores, draw):
    rows = _disputed(scores).query("node_id == 'safe'")
    figure = draw(rows, node="safe", classes="against", data_as_at=AS_AT)
    data = figure.data.set_index("area_code")
    ranked = rows[rows["estimate"].notna()].set_index("area_code")
    depend = set(ranked.index[ranked["standing"] == standing.DEPENDS])
    assert len(depend) > 30
    assert set(data.index[data["map_class"] == "Depends on contested figures"]) == depend
    better = int((ranked["standing"] == "above").sum())
    worse = int((ranked["standing"] == "below").sum())
    assert better < int((ranked["against_england"] == "above").sum())
    words = (
        f"Safe: {better} of 148 authorities clearly better than England, {worse} clearly worse; {len(depend)} depend"
    )
    assert figure.title.startswith(words)
    columns = ("against_england", "against_england_agreed", "standing")
    (up, down), left, both = [[int((ranked[c] == side).sum()) for side in ("above", "below")] for c in columns]
    note = (
        f"with its contested indicators {up} authorities are clearly better than England and {down} clearly worse, "
        f"without them {left[0]} and {left[1]}, both ways {both[0]} and {both[1]}."
    )
    assert note in " ".join(figure.notes)
    assert theme.DISPUTED in {shape.fill.upper() for shape in drawn.areas(figure.svg())}
    assert f"Depends on contested figures ({len(depend)})" in " ".join(drawn.texts(figure.svg()))


def test_ranks_and_table_mark_what_depends_on_disputed_figures(scores):
    rows = _disputed(scores)
    safe = rows[(rows["node_id"] == "safe") & rows["estimate"].notna()]
    depend = int((safe["standing"] == standing.DEPENDS).sum())
    ranking = ranks.rank_intervals(
        rows.assign(rank_agreed=rows["rank"] + 7, rank_lower_agreed=1.0, rank_upper_agreed=148.0),
        node="safe",
        data_as_at=AS_AT,
    )
    marks = [s for s in drawn.shapes(ranking.svg()) if s.width == "0.9" and s.fill.upper() == theme.DISPUTED_MARK]
    assert len(marks) == depend + 1  # one stands in the key
    assert "would rank at least 7 places from here" in " ".join(ranking.notes)
    table = tables.domain_heat_table(rows, data_as_at=AS_AT)
    cells = [s for s in drawn.shapes(table.svg()) if s.stroke.upper() == "#FFFFFF" and s.width == "0.6"]
    everywhere = int(((rows["standing"] == standing.DEPENDS) & rows["estimate"].notna()).sum())
    assert sum(c.fill.upper() == theme.DISPUTED for c in cells) == everywhere + 1
    assert f"{depend} depending on contested figures" in table.alt
    up, down, left = ((safe[c] == side).sum() for c, side in (("against_england", "above"), ("against_england", "below"),
                                                              ("against_england_agreed", "above")))  # fmt: skip
    assert f"Safe {up} and {down} with them, {left} and " in " ".join(table.notes)


def test_where_nothing_is_disputed_no_key_speaks_of_it(scores):
    dated = _dated(scores)
    rows = dated.assign(against_england_agreed=dated["against_england"], standing=dated["against_england"])
    for figure in (
        maps.hex_map(rows, node="learning", data_as_at=AS_AT),
        ranks.rank_intervals(rows, node="learning", data_as_at=AS_AT),
        tables.domain_heat_table(rows, data_as_at=AS_AT),
    ):
        assert "disputed" not in " ".join([*drawn.texts(figure.svg()), figure.alt])


def test_a_node_of_contested_indicators_alone_keeps_its_one_verdict(scores):
    dated = _dated(scores)
    rows = dated.assign(against_england_agreed="", standing=standing.DEPENDS)
    assert standing.signs(rows).equals(standing.signs(dated))
    assert not standing.depends(rows).any()


def test_turning_a_measure_round_turns_every_verdict(scores):
    rows = _disputed(scores)
    back = standing.turned(rows, standing.Sense("more", "fewer", sign=-1))
    assert (standing.signs(back).dropna() == -standing.signs(rows).dropna()).all()
    assert back["standing"].eq(standing.DEPENDS).equals(rows["standing"].eq(standing.DEPENDS))
    assert (back["england_alike"] == -ENGLAND).all()


def test_places_compared_with_england_over_fewer_parts_are_counted(scores):
    rows = _disputed(scores).query("node_id == 'safe'").copy()
    scored = rows.index[rows["estimate"].notna()]
    rows.loc[scored[:3], "england_alike"] = [ENGLAND + 0.1, ENGLAND - 0.2, ENGLAND + 0.001]
    assert standing.alike_line(rows).startswith("2 authorities that lack some figures")
    assert "0.20 at most" in standing.alike_line(rows)
    assert standing.alike_line(rows.assign(england_alike=ENGLAND)) == ""


def test_colours_by_fifths_under_a_count_against_england_are_said(scores):
    fifths = maps.choropleth(_dated(scores), node="learning", data_as_at=AS_AT)
    assert "colours show the score, in fifths of authorities, while the title counts" in fifths.subtitle
    plain = maps.hex_map(_dated(scores), node="learning", data_as_at=AS_AT)
    assert "colours show" not in plain.subtitle
    assert "Clearly better than England" in set(plain.data["map_class"])


def test_maps_and_tables_say_how_many_chance_alone_would_name(scores):
    judged = scores[(scores["node_id"] == "learning") & scores["lower"].notna()]
    n = int((~judged["area_code"].isin(standing.UNRANKED)).sum())
    words = f"up to {n / 10:.0f} of {n} authorities"  # a tenth, by 90 % intervals
    drawn = [
        maps.choropleth(scores, node="learning", data_as_at=AS_AT),
        maps.small_multiples({"learning": scores}, data_as_at=AS_AT),
    ]
    for figure in drawn:
        assert any(words in note for note in figure.notes), figure.notes
    assert any("in each column" in note for note in tables.domain_heat_table(scores, data_as_at=AS_AT).notes)
