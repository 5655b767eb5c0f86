"""Accounts of a simulated venue from a YAML file, for runs with more than the demo account.

accounts:
  - {account: main, deposit: "5000", api_key: <64 letters>, api_secret: <64 letters>}
  - {account: other, deposit: "100", api_key: <64 letters>, public_key_file: other.pem, leverage: 5}
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from exchanges.sim.server.keys import KEY_LENGTH_MIN, ApiKey
from exchanges.sim.server.options import SimAccount
from exchanges.sim.settings import AccountSpec


class AccountModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    account: Annotated[str, Field(min_length=1)]
    deposit: Annotated[Decimal, Field(gt=0)]
    api_key: Annotated[str, Field(min_length=KEY_LENGTH_MIN)]
    api_secret: SecretStr | None = None
    public_key_file: Path | None = None
    api_passphrase: SecretStr = SecretStr("")
    maker_fee: Decimal | None = None
    taker_fee: Decimal | None = None
    fee_asset: str = "USDT"
    bnb_deposit: Decimal = Decimal(0)
    hedge_mode: bool = False
    leverage: Annotated[int, Field(ge=1, le=125)] = 20

    @model_validator(mode="after")
    def _has_one_way_to_sign(self) -> AccountModel:
        if (self.api_secret is None) is (self.public_key_file is None):
            raise ValueError("give either api_secret (HMAC) or public_key_file (Ed25519)")
        return self

    def made(self, folder: Path) -> SimAccount:
        pem = (folder / self.public_key_file).read_text(encoding="ascii") if self.public_key_file else ""
        secret = self.api_secret.get_secret_value() if self.api_secret else ""
        passphrase = self.api_passphrase.get_secret_value()
        return SimAccount(
            spec=AccountSpec(
                account=self.account,
                deposit=self.deposit,
                maker_fee=self.maker_fee,
                taker_fee=self.taker_fee,
                fee_asset=self.fee_asset,
                bnb_deposit=self.bnb_deposit,
                hedge_mode=self.hedge_mode,
                leverage=self.leverage,
            ),
            keys=(
                ApiKey(
                    key=self.api_key, account=self.account, secret=secret, public_key_pem=pem, passphrase=passphrase
                ),
            ),
        )


class AccountsModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    accounts: Annotated[list[AccountModel], Field(min_length=1)]

    @model_validator(mode="after")
    def _are_apart(self) -> AccountsModel:
        for words in ([held.account for held in self.accounts], [held.api_key for held in self.accounts]):
            if len(set(words)) < len(words):
                raise ValueError("two accounts have the same name or key")
        return self


def read_accounts(path: Path) -> tuple[SimAccount, ...]:
    """Read the accounts; names of key files are taken from the file's own folder."""
    document = AccountsModel.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    return tuple(held.made(path.parent) for held in document.accounts)
