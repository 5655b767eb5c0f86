"""OKX v5 USDT and USDC perpetual swaps behind the venue port; `market` needs no keys, neither half needs ccxt."""
