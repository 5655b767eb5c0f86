"""A simulated HashKey Global: contracts settled in USDT."""
