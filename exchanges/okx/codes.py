"""OKX v5 error codes in our words. Source: the venue's error code page; `exchanges.outcome` reads them."""

from __future__ import annotations

from exchanges.errors import Refusal
from exchanges.outcome import CodeTable

DONE = "0"
FAILED, PARTLY = "1", "2"
"""What a reply says of a list of operations of which none, or not all, were done: each item has its own code."""

ORDER_ABSENT = "51603"
PARAMETER = "51000"
POSITION_SIDE = "51000/posSide"
"""Our name for the refusal of a parameter where that is the side of a position, which hedge mode alone asks for."""

_REFUSED: dict[Refusal, str] = {
    Refusal.REDUCE_ONLY_CONFLICT: "51023 51112 51117 51134 51169 51170 51205",
    Refusal.MARGIN: "51004 51008 51104 51105 51106 51107 51119 51127 51129 51131 51502 59103 59108",
    Refusal.DUPLICATE_ID: "51011 51016",
    Refusal.UNKNOWN_ORDER: "51400 51401 51402 51405 51410 51603",
    Refusal.FILTER: (
        "51005 51006 51007 51020 51031 51100 51101 51116 51118 51120 51121 51122 51135 51136 51137 51138 51185 "
        "51201 51202 51203"
    ),
    Refusal.TOO_MANY_ORDERS: "51025 51102 51103 51174 51261",
    Refusal.CLOCK: "50036 50037 50102 50112 60004 60006",
    Refusal.TRADING_RESTRICTED: (
        "50007 50009 50012 50017 50018 50019 50020 50021 50022 50027 50028 50029 50032 50033 50051 50052 50059 50060 "
        "51009 51010 51024 51155 54109"
    ),
    Refusal.CREDENTIALS: (
        "50030 50035 50100 50101 50103 50104 50105 50106 50107 50110 50111 50113 50114 50119 50120 60001 60002 60003 "
        "60005 60007 60009 60011 60024 60032"
    ),
    Refusal.POSITION_MODE: POSITION_SIDE,
    Refusal.SYMBOL_CLOSED: "51001 51015 51021 51022 51026 51027 51028 51029",
    Refusal.WOULD_TRIGGER: "51277 51278 51279 51280",
    Refusal.OTHER: (
        "50000 50002 50006 50008 50014 50015 50016 50024 50025 51000 51003 51111 51403 51404 51406 51407 51408 51500 "
        "51327 51328 51329 51330 "
        "59000 59100 59101 59102 59104 59105 59106 59107 60012 60013 60018 60019 60027 60028"
    ),
}

CODES = CodeTable(
    refused={code: refusal for refusal, codes in _REFUSED.items() for code in codes.split()},
    # unavailable, offline, busy, funding is being settled: the order was not taken
    not_done={"50001": 1.0, "50005": 5.0, "50013": 1.0, "50023": 1.0, "51030": 1.0},
    # timed out ("does not mean success or failure"), system error, order timed out, and a failure without its item
    unknown=frozenset({"50004", "50026", "51149", "63999", FAILED, PARTLY}),
    rate=frozenset({"50011", "50040", "50061", "51113", "60014", "60023"}),
    not_done_words="Service temporarily unavailable",
)
