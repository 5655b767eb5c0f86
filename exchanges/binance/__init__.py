"""Binance USD-M futures behind the venue port: `market` needs no keys and no ccxt, `trading` needs both."""
