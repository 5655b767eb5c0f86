"""The log of a process that rarely has anything to say: structlog (14 MB) is loaded with the first line."""

from __future__ import annotations

from typing import Any


class LateLog:
    """A logger that sets logging up when it is first used."""

    def __init__(self, name: str, *, as_json: bool = False) -> None:
        self._name = name
        self._as_json = as_json
        self._logger: Any = None

    def set_up(self) -> Any:
        """Load and set up logging for this process; returns the logger."""
        if self._logger is None:
            from actors.structured_log import log_of, set_up_logging

            set_up_logging(as_json=self._as_json)
            self._logger = log_of(self._name)
        return self._logger

    def warning(self, event: str, **values: Any) -> None:
        """Log what a person should know."""
        self.set_up().warning(event, **values)

    def error(self, event: str, **values: Any) -> None:
        """Log what went wrong."""
        self.set_up().error(event, **values)

    def critical(self, event: str, **values: Any) -> None:
        """Log what ends the process."""
        self.set_up().critical(event, **values)
