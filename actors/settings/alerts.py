"""Who is told of trouble. The addresses hold secrets, so they never stand here."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field, model_validator

from actors.alert_digest import AlertKind
from actors.settings.fields import Exact, File, Section, broken
from actors.settings.venue import ENV_NAME


class AlertSettings(Section):
    """Alarms through apprise: one URL reaches one of a hundred services."""

    urls_env: str | None = Field(
        None,
        pattern=r"^[A-Z_][A-Z0-9_]{0,63}$",
        description="name of the environment variable that holds the apprise URLs, separated by blanks",
        json_schema_extra=ENV_NAME,
    )
    urls_file: File | None = Field(None, description="file that holds the URLs, one a line; mode 0600, yours")
    kinds: tuple[AlertKind, ...] = Field(tuple(AlertKind), description="what is worth an alarm")
    repeat_minutes: Exact = Field(
        Decimal(30), ge=1, le=1440, description="the same trouble is said again at most so often, in minutes"
    )
    near_liquidation: Exact = Field(
        Decimal("0.1"), gt=0, lt=1, description="distance of mark to the liquidation price that alarms, as a fraction"
    )
    refused_orders: int = Field(5, ge=1, description="refused orders within a minute that alarm")

    @model_validator(mode="after")
    def _rules(self) -> AlertSettings:
        both = self.urls_env is not None and self.urls_file is not None
        broken([("urls_env", self.urls_env, "excludes urls_file: name one source, not two")] if both else [])
        return self
