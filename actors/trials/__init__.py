"""Trying it safely: demo, drill, soak and the report on the detector."""
