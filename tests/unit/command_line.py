"""Runs the command line inside the test's process and returns what a shell would see."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from actors import cli


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class CommandLine:
    """`run("status", "--json")` as a shell would."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def run(self, *arguments: object) -> Ended:
        self._monkeypatch.setattr(sys, "argv", ["gridmesh", *(str(argument) for argument in arguments)])
        self._monkeypatch.setattr(sys, "excepthook", sys.excepthook)
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        written = self._capsys.readouterr()
        return Ended(code=int(ended.value.code or 0), out=written.out, err=written.err)
