"""Ports to the venues: REST, streams, the order desk, and a simulated venue."""
