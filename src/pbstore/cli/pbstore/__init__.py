"""The program `pbstore`: the server."""
