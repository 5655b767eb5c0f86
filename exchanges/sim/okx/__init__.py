"""A simulated OKX v5 venue for swaps over HTTP and WebSocket, with faults on demand."""
