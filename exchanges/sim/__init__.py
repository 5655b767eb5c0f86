"""A simulated venue: Binance USD-M futures' rules around a pure matching engine fed from a tape."""
