"""What every venue's session shares: HTTP, sockets, streams, buffers, the clock."""
