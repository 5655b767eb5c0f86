"""`gridmesh plan` and `init`: ladders worked out before anything is sent."""
