"""A simulated KuCoin Futures: USDT contracts of a classic account, over HTTP and WebSocket, with faults on demand."""
