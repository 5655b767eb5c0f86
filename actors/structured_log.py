"""Log lines: structured, for a console or as JSON, and never with a secret in them."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, MutableMapping
from typing import Any, TextIO

import structlog
from structlog.typing import FilteringBoundLogger, Processor

from actors.redaction import redacted

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
SECRET_LENGTH_MIN = 4
"""Shorter values would blank out ordinary words."""


class Redaction:
    """Takes secrets out of a log line: telling keys, and known values anywhere. Runs once tracebacks are text."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = frozenset(secret for secret in secrets if len(secret) >= SECRET_LENGTH_MIN)

    def __call__(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
        """Return the line without secrets."""
        texts = {key: value if _is_plain(value) else repr(value) for key, value in event.items()}
        shown: dict[str, Any] = redacted(texts, self._secrets)
        return shown


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, str | int | float | dict | list | tuple)


def processors(*, as_json: bool, colours: bool, secrets: Iterable[str]) -> list[Processor]:
    """Return the steps that a line goes through; redaction is the last before it becomes text."""
    last: Processor = (
        structlog.processors.JSONRenderer(sort_keys=True, default=str)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=structlog.dev.plain_traceback)
    )
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        Redaction(secrets),
        last,
    ]


def set_up_logging(
    *, as_json: bool = False, level: str = "info", secrets: Iterable[str] = (), out: TextIO | None = None
) -> None:
    """Set up every logger of this process; standard library loggers keep to warnings and go the same way out."""
    stream = out or sys.stderr
    steps = processors(as_json=as_json, colours=stream.isatty(), secrets=secrets)
    structlog.configure(
        processors=steps,
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(processors=[_without_record, *steps[1:]], foreign_pre_chain=[])
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)


def _without_record(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event.pop("_record", None)
    event.pop("_from_structlog", None)
    return event


def logger_to(out: TextIO, *, as_json: bool, secrets: Iterable[str] = ()) -> FilteringBoundLogger:
    """Return a logger of its own that writes to `out`, apart from the process's set-up."""
    logger: FilteringBoundLogger = structlog.wrap_logger(
        structlog.WriteLogger(out),
        processors=processors(as_json=as_json, colours=False, secrets=secrets),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
    return logger


def log_of(name: str, **bound: str) -> FilteringBoundLogger:
    """Return the process's logger, with the actor's name on each line.

    It asks for the set-up with each line: an actor takes its logger before its process has set logging up.
    """
    logger: FilteringBoundLogger = structlog.get_logger(actor=name, **bound)
    return logger
