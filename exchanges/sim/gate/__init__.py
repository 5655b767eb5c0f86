"""Gate v4 futures as a simulated venue: REST and one socket for streams, the account and orders."""
