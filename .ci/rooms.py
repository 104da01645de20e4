"""Keep the table of rooms in ARCHITECTURE.md true: its second column lists the modules there are.

python .ci/rooms.py            write the column (the words in the third column are ours and stay)
python .ci/rooms.py --check    exit with 1, saying what differs, unless the table is up to date
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "ARCHITECTURE.md"


def rooms() -> dict[str, list[str]]:
    """Modules of each room; a module that stands alone in the package is a room without modules."""
    package = ROOT / "outcomes_analysis"
    alone = {path.stem: [] for path in package.glob("*.py") if path.stem != "__init__"}
    folders = {
        init.parent.name: sorted(
            path.relative_to(init.parent).with_suffix("").as_posix()
            for path in init.parent.rglob("*.py")
            if path.stem != "__init__"
        )
        for init in package.glob("*/__init__.py")
    }
    return alone | folders


def with_modules(page: str) -> tuple[str, list[str]]:
    """The page with its second column as the tree has it, and the rooms it leaves out or makes up."""
    there, said, lines = rooms(), [], []
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if line.startswith("| `") and len(cells) == 5:
            room = cells[1].strip("`")
            said.append(room)
            cells[2] = ", ".join(f"`{module}`" for module in there.get(room, []))
            line = " | ".join(cells).strip().replace("|  |", "| |")
        lines.append(line)
    wrong = [f"no row for {room}" for room in there if room not in said]
    wrong += [f"no such room: {room}" for room in said if room not in there]
    return "\n".join(lines) + "\n", wrong


def main(arguments: list[str]) -> int:
    page = PAGE.read_text(encoding="utf-8")
    made, wrong = with_modules(page)
    if arguments != ["--check"]:
        PAGE.write_text(made, encoding="utf-8")
    elif made != page:
        wrong.append("the modules in the table of rooms are out of date; run: make rooms")
    print("\n".join(f"ARCHITECTURE.md: {fault}" for fault in wrong) or "ARCHITECTURE.md lists the rooms there are")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
