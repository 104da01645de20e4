"""People's priorities: weights by hand, intervals by closed forms, nobody's answer told, and ranks that move with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import beta

from outcomes_analysis.errors import SpecError
from outcomes_analysis.evidence.priorities_page import priorities_html, priority_tables
from outcomes_analysis.framework import load_framework
from outcomes_analysis.places.weighing import weigh_priorities
from outcomes_analysis.places.weighing_wording import domains_text
from outcomes_analysis.wording import causal_words


def answers(rows: list[tuple[str, int, str, str, float]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["way", "round", "person", "item", "points"])
    return table.assign(line=range(2, len(table) + 2))


def budget(points: dict[str, tuple[float, ...]], items: tuple[str, ...] = ("a", "b", "c")) -> pd.DataFrame:
    return answers(
        [("budget", 1, who, item, n) for who, own in points.items() for item, n in zip(items, own, strict=True) if n]
    )


def test_everybody_counts_the_same_however_many_points_they_used() -> None:
    # shares: .5 .5 0; 1 0 0; .25 .25 .5: means .583, .25, .167
    found = weigh_priorities(budget({"P1": (5, 5, 0), "P2": (100, 0, 0), "P3": (1, 1, 2)}))
    table = found.table.set_index("item")
    assert table["estimate"].tolist() == pytest.approx([1.75 / 3, 0.75 / 3, 0.5 / 3])
    assert table["rank"].tolist() == [1, 2, 3]
    assert ((table["lower"] <= table["estimate"]) & (table["estimate"] <= table["upper"])).all()
    assert (table["people"] == 3).all()


def test_bootstrap_interval_has_the_width_of_a_mean_of_many() -> None:
    rng = np.random.default_rng(2)
    first = rng.uniform(20, 80, 400)
    found = weigh_priorities(budget({f"P{k}": (x, 100 - x) for k, x in enumerate(first)}, items=("a", "b")))
    row = found.table.set_index("item").loc["a"]
    half = 1.645 * (first / 100).std(ddof=0) / np.sqrt(400)
    # 2,000 resamples place a 5 % quantile within 2 x sqrt(.05 x .95 / 2000) / density: some 6 % of the half width
    assert (row["upper"] - row["lower"]) / 2 == pytest.approx(half, rel=0.12)
    again = weigh_priorities(budget({f"P{k}": (x, 100 - x) for k, x in enumerate(first)}, items=("a", "b")))
    pd.testing.assert_frame_equal(found.table, again.table)


def test_choices_counted_together_have_the_tails_of_their_beta() -> None:
    counts = {"a": 60.0, "b": 30.0, "c": 10.0}
    found = weigh_priorities(answers([("children", 1, "", k, n) for k, n in counts.items()]))
    table = found.table.set_index("item")
    assert table["estimate"].tolist() == [0.6, 0.3, 0.1]
    for item, n in counts.items():
        a, b = n + 0.5, 101.5 - n - 0.5
        assert table.loc[item, ["lower", "upper"]].tolist() == pytest.approx(list(beta.ppf([0.05, 0.95], a, b)))
    assert table["people"].isna().all()  # with it, shares would tell counts


def test_fewer_than_ten_children_are_not_told_nor_what_would_tell_them() -> None:
    found = weigh_priorities(
        answers([("children", 1, "", k, n) for k, n in {"a": 60.0, "b": 30.0, "c": 15.0, "d": 4.0}.items()])
    )
    table = found.table.set_index("item")
    assert table["status"].to_dict() == {"a": "computed", "b": "computed", "c": "suppressed", "d": "suppressed"}
    assert table.loc[["c", "d"], ["estimate", "lower", "upper", "first", "rank"]].isna().all(axis=None)
    assert "2 more things not told: too few children" in found.text
    (weights, *_) = priority_tables(found)
    assert weights.frame["Weight, per cent"].tolist() == [55, 28, "[c]", "[c]"]


@pytest.mark.parametrize(
    "table",
    [
        budget({"P1": (5, 5, 0), "P2": (1, 0, 0)}),
        answers([("children", 1, f"C{k}", item, 1) for k in range(9) for item in "ab"]),
        answers([("children", 1, "", "a", 5), ("children", 1, "", "b", 4)]),
        # three rate, one leaves something out
        answers([("delphi", 1, f"P{k}", item, 5) for k in range(3) for item in "ab"][:-1]),
    ],
)
def test_too_few_are_not_told_of(table: pd.DataFrame) -> None:
    with pytest.raises(SpecError, match="too few to be told of"):
        weigh_priorities(table)


DELPHI = [
    *(("delphi", 1, f"P{k}", "a", x) for k, x in enumerate((2, 4, 6, 8, 9))),
    *(("delphi", 1, f"P{k}", "b", x) for k, x in enumerate((5, 5, 5, 5, 1))),
    *(("delphi", 2, f"P{k}", "a", x) for k, x in enumerate((5, 5, 6, 7, 7))),
    *(("delphi", 2, f"P{k}", "b", x) for k, x in enumerate((5, 5, 5, 5, 1))),
]


def test_rounds_by_hand() -> None:
    found = weigh_priorities(answers(list(DELPHI)))
    a = found.rounds.set_index(["item", "round"]).loc["a"]
    assert a["median"].tolist() == [6, 6]
    assert a[["lower_quartile", "upper_quartile"]].to_numpy().tolist() == [[4, 8], [5, 7]]
    assert a.loc[2, "spread_change"] == -2
    # 2 4 6 8 9 to 5 5 6 7 7: all but the one at 6 stand elsewhere
    assert a.loc[2, "moved"] == pytest.approx(0.8)
    assert a["important"].tolist() == [0.4, 0.4]
    assert a["stable"].tolist() == [None, False]
    b = found.rounds.set_index(["item", "round"]).loc["b"]
    assert b.loc[2, "moved"] == 0
    assert b.loc[2, "stable"] is True
    # last round alone: shares of 5 of 10 twice, 6 of 11, 7 of 12, 7 of 8
    assert found.table.set_index("item").loc["a", "estimate"] == pytest.approx(
        np.mean([0.5, 0.5, 6 / 11, 7 / 12, 7 / 8])
    )
    assert found.agreement["round"].tolist() == [1, 2]
    assert "the panel came closer on 1 of 2" in found.text


def test_a_round_of_two_tells_no_median() -> None:
    late = [row for row in DELPHI if row[1] == 2]
    early = [row for row in DELPHI if row[1] == 1 and row[2] in ("P0", "P1")]
    rounds = weigh_priorities(answers([*early, *late])).rounds
    assert rounds.loc[rounds["round"].eq(1), ["median", "important"]].isna().all(axis=None)


def test_the_page_tells_nobodys_own_answer() -> None:
    found = weigh_priorities(answers(list(DELPHI)))
    page = priorities_html(found)
    assert not causal_words(found.text)
    assert "P0" not in page
    assert "<script" not in page
    hostile = weigh_priorities(budget({f"P{k}": (1, 2, 3) for k in range(3)}, items=("<b>x</b>", "=1+1", "c")))
    assert "<b>x</b>" not in priorities_html(hostile)


def test_each_statistic_of_agreement_is_said_with_its_range_and_what_it_says_here() -> None:
    alike = weigh_priorities(budget({f"P{k}": (6.0, 3.0, 1.0) for k in range(4)})).text
    assert "Agreement is strong; 4 people judged all 3 things:" in alike
    for said in (
        "Kendall's W 1.00: how far",
        "here more than chance would give",
        "alpha 1.00: how alike",
        "here enough to rely on",
        "correlation 1.00: how well one",
        "here very well",
        "mean of all 4, 1.00",
    ):
        assert said in alike  # fmt: skip
    both = weigh_priorities(answers([*DELPHI])).text
    assert both.count("how far they put things in the same order") == 1  # explained once, told for each round
    assert both.count("Kendall's W") == 2
    # two in one order and two in the other: the sums of ranks are equal, W is 0
    against = weigh_priorities(
        budget({**dict.fromkeys(("P1", "P2"), (6, 3, 1)), **dict.fromkeys(("P3", "P4"), (1, 3, 6))})
    )
    assert "Kendall's W 0.00" in against.text
    assert "here no more than chance might give" in against.text
    assert "alpha \u22120." in against.text  # a true minus sign
    assert "too little, being under 0.67" in against.text
    assert "here poorly" in against.text
    same = weigh_priorities(budget({f"P{k}": (5.0, 5.0, 5.0) for k in range(3)})).text
    assert "How far they agree cannot be told" in same
    assert "nan" not in same


def _scores(**standing: str) -> pd.DataFrame:
    rows = [{"node_id": n, "area_code": "E1", "area_name": "Anywhere", "estimate": 0.5 if s else np.nan, "standing": s}
            for n, s in standing.items()]  # fmt: skip
    return pd.DataFrame(rows)


def test_weights_between_domains_rank_no_place_and_say_where_it_stands_on_each() -> None:
    framework = load_framework()
    domains = ("happy", "safe", "learning", "healthy")
    found = weigh_priorities(budget({f"P{k}": (40.0, 30.0, 20.0, 10.0) for k in range(3)}, items=domains))
    scores = _scores(safe="above", learning="below", happy="above", healthy="", engaged="above")
    told = domains_text(found.table, scores, framework=framework, place="E1")
    first, last = told.split("\n\n")
    assert first.splitlines() == [
        "Between domains, points shared out: happy (experimental) has the most weight, and more than 19 in 20 groups "
        "of people drawn again would put it first. Anywhere beside England, in the order of these weights:",
        "- happy (experimental): not judged, as its figures do not measure one thing",
        "- safe: clearly better than England",
        "- learning: clearly worse than England",
        "- healthy: no score, for want of figures",
    ]
    assert last.startswith("No place is ranked over its domains together")
    assert "happy (experimental) is never in a sum" in last
    assert "Anywhere" not in domains_text(found.table, scores, framework=framework)
    assert told.split("\n\n")[1] in priorities_html(found, moved=told)
    one = weigh_priorities(budget({f"P{k}": (40.0, 30.0) for k in range(3)}, items=("safe", "our own words")))
    assert domains_text(one.table, scores, framework=framework) == ""


@pytest.fixture(scope="module")
def index():
    from outcomes_analysis.index import build_index, build_matrix
    from outcomes_analysis.sources.release import load_observations

    return build_index(build_matrix(load_observations(), framework=load_framework(), period=2024))


@pytest.mark.slow
def test_ranks_move_with_the_weights(index) -> None:
    from outcomes_analysis.places.reweighing import rank_moves, weighable

    parts = ("attending", "included", "moving_on", "out_of_trouble")
    one_sided = {f"P{k}": (1000.0, 1.0, 1.0, 1.0) for k in range(4)}
    same = {f"P{k}": (5.0, 5.0, 5.0, 5.0) for k in range(4)}
    even = weigh_priorities(budget(same, items=parts))
    assert set(weighable(even, index)) == {("budget", "engaged")}
    moves = rank_moves(even, index, draws=64)
    assert (moves["move"] == 0).all()  # equal weights are the index's own
    moves = rank_moves(weigh_priorities(budget(one_sided, items=parts)), index, draws=64)
    attending = index.table[index.table["node_id"].eq("attending")].set_index("area_code")["estimate"]
    order = attending.reindex(moves["area_code"]).rank(ascending=False).to_numpy()
    # almost all weight on attendance: the order is attendance's own, but for the last thousandths
    assert np.corrcoef(order, moves["rank_median"])[0, 1] > 0.995
    assert moves["move"].abs().max() > 10
    some = weigh_priorities(budget({f"P{k}": (5.0, 5.0) for k in range(3)}, items=parts[:2]))
    assert rank_moves(some, index, draws=64).empty  # two of four parts weighed: no such ranks


def test_the_worked_example(root: Path) -> None:
    from outcomes_analysis.sources.local_priorities import load_priorities

    path = root / "data" / "local" / "example_priorities.csv"
    found = weigh_priorities(load_priorities(path))
    assert list(found.table["way"].unique()) == ["budget", "delphi", "children"]
    assert "invented" in path.read_text()
    for _, rows in found.table.groupby("way"):
        assert rows["estimate"].sum() == pytest.approx(1)
