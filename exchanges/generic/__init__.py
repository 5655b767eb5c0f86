"""Any exchange that ccxt knows, behind the venue port; both halves import ccxt, of one exchange each."""
