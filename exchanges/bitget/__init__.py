"""Bitget USDT futures of a classic account (v2 interface) behind the venue port."""
