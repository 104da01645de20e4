"""Files of people's priorities: what is right is read, what is wrong is told, and no cell or name is repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

from outcomes_analysis.errors import SourceError
from outcomes_analysis.sources.local_priorities import load_priorities

HEAD = "way,round,person,item,points\n"
GOOD = HEAD + "".join(f"budget,,P{k},attending,60\nbudget,,P{k},included,40\n" for k in range(3))


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "answers.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_items_by_id_label_or_own_words(tmp_path: Path) -> None:
    content = HEAD + "budget,,p1,Attending,5\nbudget,,p1,children  attend SCHOOL somewhere,3\nBudget,1,p1,Engaged,2\n"
    table = load_priorities(written(tmp_path, content))
    assert table["item"].tolist() == ["attending", "children  attend SCHOOL somewhere", "engaged"]
    assert set(table["person"]) == {"P1"}
    assert table["round"].tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("lottery,,P9,a,5", "a word that is not one of those to choose from"),
        ("budget,,Jane Smith,a,5", "a person's code that is none"),
        ("budget,,,a,5", "no person's code, and only children's choices may be counted together"),
        ("budget,,P9,a,-5", "a negative count"),
        ("budget,,P9,a,5%", "a percent sign"),
        ('budget,,P9,a,"1,000"', "a comma within a number"),
        ("budget,,P9,a,=2+3", "a formula"),
        ("budget,,P9,=HYPERLINK(1),5", "a formula"),
        ("budget,,P9,a,45000000", "points beyond a million"),
        ("budget,,P9,a,lots", "no number"),
        ("budget,,P9,a,", "nothing in a cell that is needed"),
        ("budget,two,P9,a,5", "a round that is none"),
        ("budget,2,P9,a,5", "a round other than 1"),
        ("delphi,1,P9,a,11", "a Delphi panel's rating is outside 1 to 9"),
        ("delphi,1,P9,a,5", "one thing alone"),
        ("budget,,P0,attending,5", "the same line twice"),
        ("budget,,P9,a,0", "1 of 4 people give nothing to anything"),
        ("budget,,P9,12/03/2015,5", "date of birth"),
        ("budget,,P9,CM20 1AA,5", "postcode"),
        ("budget,,A123456789012,a,5", "unique pupil number"),
        ("budget,,P9,a,5,6", "more or fewer cells"),
        (f"budget,,P9,{'x' * 81},5", "a text that is too long"),
    ],
)
def test_each_fault_is_told(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(SourceError) as error:
        load_priorities(written(tmp_path, f"{GOOD}{line}\n"))
    assert said in str(error.value)
    for cell in ("Jane", "lottery", "HYPERLINK", "12/03", "CM20", "A1234", "xxx"):
        assert cell not in str(error.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("Our survey,,,,\n" + GOOD, "titles or merged headings"),
        (GOOD.replace(",", ";"), "parted by semicolons"),
        (GOOD.encode("utf-16"), "another encoding"),
        (GOOD.encode() + b"budget,,P9,caf\xe9,5\n", "characters that are not UTF-8"),
        (GOOD.replace("person", "pupil name"), "person's name"),
        (HEAD, "there is no row below the headings"),
    ],
)
def test_each_fault_of_a_file_is_told(tmp_path: Path, content: str | bytes, said: str) -> None:
    with pytest.raises(SourceError) as error:
        load_priorities(written(tmp_path, content))
    assert said in str(error.value)


def test_choices_of_one_and_of_many_do_not_mix(tmp_path: Path) -> None:
    content = HEAD + "children,,,a,50\nchildren,,C1,a,1\nchildren,,C1,b,1\n"
    with pytest.raises(SourceError, match="some answers are of one person, others counted together"):
        load_priorities(written(tmp_path, content))
