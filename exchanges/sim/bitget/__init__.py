"""A simulated Bitget venue: USDT futures of a classic account, over HTTP and WebSocket, with faults on demand."""
