"""The whole page: every analysis of a question on it, in few words, each number from the analysis it speaks of."""

from __future__ import annotations

import pytest

from outcomes_analysis.errors import SpecError
from outcomes_analysis.framework.loading import load_framework
from outcomes_analysis.relations import RelationResult, RelationSpec, relate
from outcomes_analysis.relations.asking import Asked, ask
from outcomes_analysis.relations.sentences import spanned
from outcomes_analysis.relations.whole.parts import HEADINGS, made_parts
from outcomes_analysis.relations.whole.same_question import choices_of
from outcomes_analysis.relations.whole.standing_between import MOST, figures_beside
from outcomes_analysis.sources.release import load_observations
from outcomes_analysis.wording import associational


@pytest.fixture(scope="module")
def page() -> RelationResult:
    return relate(draws=200)


@pytest.fixture(scope="module")
def asked() -> Asked:
    spec = RelationSpec(outcome="attainment8", predictors="mh_admissions_0_17", years=(2023, 2024))
    return ask(spec, draws=1)


def said(page: RelationResult, part: str) -> str:
    return dict(page.sections)[HEADINGS[part]]


def test_the_page_holds_every_part_in_order(page: RelationResult):
    headings = [heading for heading, _ in page.sections]
    assert headings == [
        "", "In short", "What is found", "How sure", "What changes it", *HEADINGS.values(), "What it cannot say",
    ]  # fmt: skip
    for heading, text in page.sections:
        assert f"{heading}. {text.split(chr(10))[0]}" in page.text if heading else page.text.startswith(text)
    assert len(page.text.split()) <= 1_350  # two printed sides
    assert "could not be done" not in page.text
    assert set(page.diagnostics["parts"]) == {"lines", "clusters", "panel", "network", "multiverse"}


def test_no_part_claims_more_than_association(page: RelationResult):
    framework = load_framework()
    ours = page.text
    for indicator in framework.indicators:
        for words in (indicator.contested.rstrip("."), indicator.name):
            ours = ours.replace(words, "") if words else ours
    associational(ours)
    assert not [i.id for i in framework.indicators if i.id in page.text]


def test_the_summary_has_both_answers_and_allows_for_neighbours(page: RelationResult):
    short = dict(page.sections)["In short"]
    assert short.startswith("With the likeness of neighbours allowed for, there is no clear association")
    for held in ("", "child_poverty_bhc", "child_poverty_ahc"):
        assert spanned(page.row("spearman_neighbours", adjusted_for=held)) in short
    assert "higher mental health admissions went with somewhat lower Attainment 8" in short
    assert "90% intervals" in short


def test_marks_stand_on_the_page(page: RelationResult):
    assert "is contested:" in page.text
    assert "belongs to the domain Happy, which is experimental" in page.text
    assert "Mental health admissions (contested and experimental)" in said(page, "ways")


def test_numbers_of_the_map_are_those_of_the_lines(page: RelationResult):
    text = said(page, "map")
    for held in ("", "child_poverty_bhc"):
        assert spanned(page.row("spatial_error", adjusted_for=held, scale="standard")) in text
    overall = page.diagnostics["parts"]["clusters"].overall
    left = overall[overall["kind"].eq("left over") & overall["adjusted_for"].eq("child_poverty_bhc")].iloc[0]
    assert f"Moran's I {left['estimate']:.2f}" in text
    assert "Only that between places with similar child poverty before housing costs leaves out 0" in text


def test_numbers_of_the_years_are_those_of_the_panel(page: RelationResult):
    text = said(page, "years")
    assert "146 authorities set beside themselves in 2023 and 2024" in text
    for name, held in (
        ("panel_two_way", ""),
        ("panel_two_way", "child_poverty_bhc"),
        ("panel_two_way_regions", "child_poverty_bhc"),
    ):
        assert spanned(page.row(name, adjusted_for=held, scale="standard")) in text
    assert "2 years are few" in text


def test_numbers_of_the_others_are_those_of_the_network(page: RelationResult):
    text, network = said(page, "others"), page.diagnostics["parts"]["network"]
    row = page.table.query("analysis == 'network'").iloc[0]
    link = network.table.query("node == 'attainment8' and other == 'mh_admissions_0_17'").iloc[0]
    assert row["estimate"] == link["estimate"]
    assert f"in {100 * link['kept']:.0f}% of draws" in text
    assert ("not linked directly" in text) == (link["estimate"] == 0)
    assert "child poverty before housing costs, across" in text  # poverty can stand between too


def test_numbers_of_the_ways_are_those_of_the_curve(page: RelationResult):
    text, curve = said(page, "ways"), page.diagnostics["parts"]["multiverse"]
    assert f"in {len(curve.computed)} ways" in text
    rows = curve.joint.query("null == 'neighbours'").set_index("statistic")
    assert curve.diagnostics["permutations"] >= 200
    for statistic in ("median", "same_sign", "clear"):
        assert f"{100 * rows.at[statistic, 'p_value']:.1f}%" in text
    assert "Asked in" not in page.text  # the count of analyses gives way to the curve


def test_a_part_that_cannot_be_done_says_why():
    answer = relate(draws=50, years=(2024,), parts=("years",))
    assert dict(answer.sections)[HEADINGS["years"]] == (
        "This could not be done: only 2024 has both figures without a declared break, so no place can be set beside "
        "itself."
    )
    assert "panel_two_way" not in set(answer.table["analysis"])


def test_parts_are_left_out_on_request_and_unknown_ones_refused(asked: Asked):
    bare = relate(draws=50, parts=())
    assert not set(HEADINGS.values()) & {heading for heading, _ in bare.sections}
    assert "Asked in" in bare.text
    with pytest.raises(SpecError, match="unknown parts of the page: weather"):
        made_parts(asked, areas=asked.assembled.data, names=("weather",), controls=())  # type: ignore[arg-type]


def test_figures_beside_the_pair_go_most_closely_with_both(asked: Asked):
    chosen = figures_beside(asked)
    framework = asked.framework
    assert len(chosen) == MOST
    doublets = [framework.indicator(i).doublet for i in chosen if framework.indicator(i).doublet]
    assert len(doublets) == len(set(doublets))
    assert framework.indicator("attainment8").doublet not in doublets
    assert all(framework.indicator(i).scored and framework.indicator(i).layer == "child" for i in chosen)
    # by hand: the weaker of its two rank correlations, for the first one and for one that was not chosen
    observations = load_observations()
    data = asked.assembled.data

    def weaker(name: str) -> float:
        rows = observations.query("indicator_id == @name and group == 'all'")
        rows = rows[rows["period_end"].dt.year.eq(2024)].drop_duplicates("area_code", keep="last")
        values = rows.set_index("area_code")["value"].reindex(data.index)
        return min(abs(values.corr(data[end], method="spearman")) for end in ("mh_admissions_0_17", "attainment8"))

    assert weaker(chosen[0]) > weaker(chosen[-1]) > weaker("phonics_y1" if "phonics_y1" not in chosen else "lbw_term")


def test_a_mediator_is_always_beside_the_pair_and_a_collider_never(asked: Asked):
    first = figures_beside(asked)[0]
    spec = asked.spec.replace(mediators=("phonics_y1",), colliders=(first,))
    chosen = figures_beside(ask(spec, draws=1))
    assert "phonics_y1" in chosen
    assert first not in chosen


def test_the_choices_are_those_of_question_and_framework(asked: Asked):
    choices = choices_of(asked)
    assert [c.value for c in choices.adjustments] == ["", "child_poverty_bhc", "child_poverty_ahc"]
    assert [c.value for c in choices.years] == [2023, 2024]
    assert [c.value for c in choices.predictors] == ["mh_admissions_0_17"]
    assert [c.value for c in choices.outcomes] == ["attainment8", "em_94"]
    assert all(c.reason for given in choices.choices.values() for c in given)
