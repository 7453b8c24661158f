"""The server's API methods, one module an area."""
