"""One exchange of ccxt is had without the others, and spoils ccxt for nobody."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

PROGRAM = """
import json, sys
import exchanges.binance.rest as rest
from exchanges.session.one_exchange import ccxt_class
loaded = [name for name in sys.modules if name == "ccxt" or name.startswith("ccxt.")]
order = {"symbol": "ETHUSDT", "price": "3000.10", "newClientOrderId": "mine"}
light = rest._Signer(None, rest.PRODUCTION, lambda: 7)
light.apiKey, light.secret = "key", "secret"
first = light.sign("order", ["fapiPrivate"], "POST", dict(order))
import ccxt.async_support as whole
full = whole.binanceusdm({"apiKey": "key", "secret": "secret", "options": {"recvWindow": None}})
full.nonce = lambda: 7
second = full.sign("order", ["fapiPrivate"], "POST", dict(order))
print(json.dumps({"loaded": loaded, "exchanges": len(whole.exchanges), "first": first, "second": second,
    "later": ccxt_class("okx").__name__}))
"""


def answer() -> Any:
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=280, check=True)
    return json.loads(ended.stdout)


def test_one_exchange_signs_as_it_does_within_the_whole_and_leaves_the_whole_to_be_imported() -> None:
    told = answer()

    assert told["loaded"] == []
    assert told["first"] == told["second"]
    assert told["exchanges"] > 50
    assert told["later"] == "okx"
