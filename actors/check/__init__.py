"""What `gridmesh check` finds before a start."""
