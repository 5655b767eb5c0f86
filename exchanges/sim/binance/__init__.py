"""A simulated Binance USD-M futures venue over HTTP and WebSocket, with faults on demand."""
