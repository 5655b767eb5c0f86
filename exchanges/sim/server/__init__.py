"""A simulated venue as a server: what every protocol shares around the matching engine."""
