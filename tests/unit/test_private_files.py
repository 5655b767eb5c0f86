"""The user's own folder below the one that all users share."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from actors.private_files import temporary_folder
from grid.errors import ConfigError


def test_it_is_made_for_its_user_alone_and_found_again(tmp_path: Path) -> None:
    environ = {"RAY_TMPDIR": str(tmp_path)}
    made = temporary_folder(environ)

    assert (made.parent, stat.S_IMODE(made.stat().st_mode)) == (tmp_path, 0o700)
    assert temporary_folder(environ) == made


@pytest.mark.parametrize("kind", ["open", "link", "file"])
def test_one_that_others_could_have_put_there_is_refused(tmp_path: Path, kind: str) -> None:
    environ = {"RAY_TMPDIR": str(tmp_path / "all")}
    made = temporary_folder(environ)
    if kind == "open":
        made.chmod(0o777)
    else:
        made.rename(tmp_path / "elsewhere")
        made.symlink_to(tmp_path / "elsewhere") if kind == "link" else made.write_text("")

    with pytest.raises(ConfigError, match="nobody else may enter"):
        temporary_folder(environ)
