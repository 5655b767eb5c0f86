"""Gate v4, contracts settled in USDT, behind the venue port: `market` needs no keys, and nothing needs ccxt."""
