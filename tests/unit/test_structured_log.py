"""Log lines: what a process sets up holds for every logger, also one that was taken before."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import orjson
import pytest
import structlog

from actors.structured_log import log_of, set_up_logging


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_logger_taken_before_the_set_up_writes_as_set_up() -> None:
    early = log_of("gateway/test/main")
    out = io.StringIO()
    set_up_logging(as_json=True, secrets=["very-secret"], out=out)
    early.warning("hold", text="with very-secret in it", api_key="abcdefgh")

    line = orjson.loads(out.getvalue())
    assert (line["actor"], line["event"], line["level"]) == ("gateway/test/main", "hold", "warning")
    assert "very-secret" not in out.getvalue()
    assert "abcdefgh" not in out.getvalue()
