"""Registered sources made for a test, and the files of the mirror as they would be registered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from outcomes_analysis.framework.model import Framework
from outcomes_analysis.sources.registry import RegisteredSource

ABOUT = {
    "url": "https://example.org/file",
    "sha256": "0" * 64,
    "bytes": 1,
    "title": "A table",
    "publisher": "A publisher",
    "publisher_page": "https://example.org",
    "obtained_via": "a test",
    "data_as_at": "2026-01-01",
    "licence": "Open Government Licence v3.0",
    "attribution": "Contains public sector information",
}

Register = Callable[..., RegisteredSource]


@pytest.fixture(scope="session")
def register() -> Register:
    """Make a registered source: ``register("lait", "dfe_lait/x.parquet", {series}, {series})``."""

    def make(reader: str, path: str, *series: dict[str, Any], **about: Any) -> RegisteredSource:
        entry = {"id": reader, "path": path, "reader": reader, "series": list(series), **ABOUT, **about}
        return RegisteredSource.model_validate(entry)

    return make


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a small file as a publisher would."""

    def make(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return make


@pytest.fixture(scope="session")
def framework() -> Framework:
    """A framework of rates per 10,000 children and percentages, with what deriving needs."""

    def indicator(name: str, form: str, per: float) -> dict[str, Any]:
        return {
            "id": name,
            "name": name,
            "definition": name,
            "unit": f"per {per:g}",
            "direction": 0,
            "form": form,
            "age_stage": "all",
            "geography_basis": "responsible_authority",
            "base_period": "2019",
            "source": "ees",
            "decimals": 1,
            "cannot_tell": "anything else",
            "per": per,
            "sampling": {"model": "byar"},
        }

    return Framework.model_validate(
        {
            "id": "test",
            "label": "Test",
            "version": "1",
            "date": "2026-01-01",
            "source_url": "",
            "notice": "",
            "nodes": [],
            "indicators": [
                indicator("cpp_rate", "rate", 10_000.0),
                indicator("cin_rate", "rate", 10_000.0),
                indicator("share", "proportion", 100.0),
            ],
        }
    )
