"""Bybit v5, linear contracts in USDT, behind the venue port: `market` needs no keys, and nothing needs ccxt."""
