"""Binance USD-M error codes in our words. Source: the venue's error code page; `exchanges.outcome` reads them."""

from __future__ import annotations

from exchanges.errors import Refusal
from exchanges.outcome import CodeTable

BAD_LISTEN_KEY = "-1125"
MARGIN_TYPE_UNCHANGED = "-4046"
NO_CHANGE = frozenset({MARGIN_TYPE_UNCHANGED})

_REFUSED: dict[Refusal, tuple[int, ...]] = {
    Refusal.POST_ONLY_WOULD_TAKE: (-5022,),
    Refusal.REDUCE_ONLY_CONFLICT: (-2022, -2024, -4062, -4118),
    Refusal.MARGIN: (-2018, -2019, -2027, -2028, -4050, -4051),
    Refusal.DUPLICATE_ID: (-4116,),
    Refusal.UNKNOWN_ORDER: (-2011, -2013),
    Refusal.FILTER: (
        *(-1013, -1111, -4001, -4002, -4003, -4004, -4005, -4013, -4014, -4016, -4023, -4024),
        *(-4131, -4164, -4183, -4184, -5029),
    ),
    Refusal.TOO_MANY_ORDERS: (-2025, -4045),
    Refusal.CLOCK: (-1021, -5028),
    Refusal.TRADING_RESTRICTED: (-2023, -4087, -4088, -4109, -4192, -4400, -4401, -4402, -4403),
    Refusal.CREDENTIALS: (-1002, -1011, -1022, -1099, -2014, -2015, -2017, -4056, -4057),
    Refusal.SYMBOL_CLOSED: (-1121, -1122, -4022, -4140, -4141, -4144, -5024),
    Refusal.POSITION_MODE: (-4060, -4061, -4067, -4068, -4531),
    Refusal.WOULD_TRIGGER: (-2021,),
    Refusal.OTHER: (
        *(-1014, -1020, -1023, -1100, -1101, -1102, -1103, -1104, -1105, -1106, -1114, -1115, -1116, -1117, -1118),
        *(-1119, -1125, -1127, -1128, -1130, -1136, -2020, -2026, -4000, -4015, -4028, -4046, -4047, -4048),
        *(
            -4059,
            -4082,
            -4130,
            -4137,
            -4161,
            -4167,
            -4168,
            -4202,
            -4203,
            -4205,
            -4206,
            -4208,
            -4209,
            -5021,
            -5025,
            -5027,
            -5039,
        ),
    ),
}

CODES = CodeTable(
    refused={code: refusal for refusal, codes in _REFUSED.items() for code in codes},
    # overload: documented as a 100 % failure; too many new orders: the shorter of the two order windows
    not_done={-1008: 1.0, -1015: 10.0},
    # unknown error, unexpected reply from the bus, back end timed out
    unknown=frozenset({-1000, -1006, -1007}),
    rate=frozenset({-1003}),
    not_done_words="Service Unavailable",
)
