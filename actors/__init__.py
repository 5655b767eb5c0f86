"""The actors, the command line and everything that ties the parts together."""
