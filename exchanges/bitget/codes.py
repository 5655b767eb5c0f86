"""Bitget's error codes in our words. Source: the venue's error pages; `exchanges.outcome` reads them.

REST writes a code as text and the order socket as a number: here it is always text.
"""

from __future__ import annotations

from exchanges.errors import Refusal
from exchanges.outcome import CodeTable

SUCCESS = frozenset({"00000", "0"})
ORDER_ABSENT = "40109"
SYMBOL_UNKNOWN = "40309"
LEVERAGE_UNCHANGED = "22020"
NO_SOCKET_RIGHT = frozenset({"30033", "40014", "40029", "40301"})
"""Order entry over the socket is granted on request only: without the right, the order goes over REST."""

_REFUSED: dict[Refusal, tuple[str, ...]] = {
    Refusal.POST_ONLY_WOULD_TAKE: ("45056",),
    Refusal.REDUCE_ONLY_CONFLICT: (
        *("22002", "25225", "25226", "25227", "25231", "25232", "40755", "40757", "40804", "45003", "45005", "45006"),
    ),
    Refusal.MARGIN: (
        *("25202", "25203", "40711", "40712", "40754", "40756", "40762", "40800", "43012", "45002", "45004", "50020"),
    ),
    Refusal.DUPLICATE_ID: ("25212", "40500", "40786", "43118", "45034", "50060"),
    # finished, cancelled, or never there: what became of it only a reading tells
    Refusal.UNKNOWN_ORDER: ("22001", "25204", ORDER_ABSENT, "40768", "40769", "43001", "43004", "45031", "45055"),
    Refusal.FILTER: (
        *("22006", "22007", "22008", "22009", "25205", "25206", "25207", "25208", "25244", "40108", "40706", "40763"),
        *("40808", "40815", "40921", "41103", "41117", "43006", "43007", "43008", "43009", "43011", "45035", "45110"),
        *("45111", "45112", "45113", "45114", "45115", "45120", "45121"),
    ),
    Refusal.TOO_MANY_ORDERS: ("25211", "25567", "40761", "43005", "45010", "45118"),
    Refusal.CLOCK: ("30005", "30008", "40005", "40008"),
    Refusal.TRADING_RESTRICTED: (
        *("25006", "25007", "25008", "25012", "25229", "25235", "40013", "40031", "40035", "40710", "40760"),
        *("45009", "45025", "45116", "45119"),
    ),
    Refusal.CREDENTIALS: (
        *("30001", "30002", "30003", "30004", "30006", "30010", "30011", "30012", "30013", "30015", "30022", "30033"),
        *("22010", "40001", "40002", "40003", "40006", "40009", "40011", "40012", "40014", "40016", "40018", "40029"),
        *("40037", "40085", "40301"),
    ),
    Refusal.SYMBOL_CLOSED: (
        *("22004", "25013", "25100", "25101", "25102", "25103", "25104", "25106", "30032", "40034", "40102", "40308"),
        *(SYMBOL_UNKNOWN, "40778", "41113", "41114", "43115", "45017", "45043"),
    ),
    Refusal.POSITION_MODE: ("25236", "25237", "40774", "40920"),
    Refusal.WOULD_TRIGGER: ("40917", "45122", "25590", "25592"),
    Refusal.OTHER: (
        *("22005", "22011", LEVERAGE_UNCHANGED, "25105", "25240", "30016", "30020", "30021", "30023", "30025", "40017"),
        *("40019", "40020", "40304", "40305", "40306", "40889", "40891", "40912", "43020", "43025", "45117"),
    ),
}

CODES = CodeTable(
    refused={code: refusal for refusal, codes in _REFUSED.items() for code in codes},
    # no code of the venue says that nothing was done and that the same may be sent again
    not_done={},
    # timed out, system abnormal, an error of a service, unknown error: executed or not
    unknown=frozenset({"25000", "25001", "30009", "30030", "40010", "40015", "40725", "45001", "50008"}),
    rate=frozenset({"429", "25004", "30014", "30026", "50009"}),
    not_done_words="",
    banned=frozenset(),
)
