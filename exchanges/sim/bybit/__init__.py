"""A simulated Bybit v5 venue (linear contracts in USDT) over HTTP and WebSocket, with faults on demand."""
