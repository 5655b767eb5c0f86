"""Bybit's return codes in our words. Source: the venue's error page; `exchanges.outcome` reads them."""

from __future__ import annotations

from exchanges.errors import Refusal
from exchanges.outcome import Code, CodeTable

ORDER_ABSENT = 110001
SYMBOL_UNKNOWN = 10029
LEVERAGE_UNCHANGED = "110043"
POSITION_WORDS = "position idx"
PARAMETER, POSITION_SIDE = 10001, f"10001/{POSITION_WORDS}"
"""A wrong parameter; our name for it where that is the side of a position, which hedge mode alone asks for."""
IP_BANNED_STATUS = 403

_REFUSED: dict[Refusal, tuple[Code, ...]] = {
    Refusal.DUPLICATE_ID: (110030, 110072),
    # finished, cancelled, or never there: what became of it only a reading tells
    Refusal.UNKNOWN_ORDER: (ORDER_ABSENT, 110008, 110010, 110019),
    Refusal.REDUCE_ONLY_CONFLICT: (110017, 110034),
    Refusal.MARGIN: (
        *(110004, 110006, 110007, 110011, 110012, 110014, 110016, 110039, 110040, 110044, 110045, 110046),
        *(110047, 110051, 110052, 110053),
    ),
    # 10001 names any wrong parameter, a quantity under the minimum among them
    Refusal.FILTER: (10001, 12137, 110003, 110022, 110049, 110094),
    Refusal.TOO_MANY_ORDERS: (110009, 110020),
    Refusal.CLOCK: (-1, 10002),
    Refusal.TRADING_RESTRICTED: (10024, 10027, 110005, 110021, 110023, 110042, 110067, 110068, 110069, 110070),
    Refusal.CREDENTIALS: (-2015, 10003, 10004, 10005, 10007, 10008, 10010, 20001, 33004),
    Refusal.SYMBOL_CLOSED: (SYMBOL_UNKNOWN, 110037, 110050, 110063, 110066, 110074),
    Refusal.POSITION_MODE: (POSITION_SIDE, 110024, 110025, 110028, 110029),
    Refusal.WOULD_TRIGGER: (110092, 110093),
    Refusal.OTHER: (
        *(10014, 10017, 10020, 10028, 10404, 12141, 12201, 20006, 100028, 110013, 110015, 110018, 110026, 110027),
        *(110031, 110032, 110033, 110036, 110038, 110041, 110043, 110048, 110054, 110055, 110056, 110057, 110058),
        *(110059, 110060, 110061, 110064, 110071, 110073),
    ),
}

CODES = CodeTable(
    refused={code: refusal for refusal, codes in _REFUSED.items() for code in codes},
    # one endpoint's own limit; too much on one socket or at the whole venue ("please retry"); a socket that is about
    # to restart takes nothing new; an order that is being worked on takes no second act. An id is never taken twice,
    # so that trying again after any of these is safe even where a reply told less than the truth.
    not_done={429: 1.0, 10006: 1.0, 10019: 0.5, 10429: 1.0, 20003: 1.0, 110079: 0.5},
    # server timed out, internal error
    unknown=frozenset({10000, 10016}),
    rate=frozenset({10009, 10018, 10403}),
    not_done_words="",
    banned=frozenset({IP_BANNED_STATUS}),
    ban_s=600.0,
)
"""The venue shuts an address out by HTTP 403 and says that this ends by itself after ten minutes of silence."""
