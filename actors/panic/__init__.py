"""`gridmesh panic`: without Ray and without a journal."""
