"""Values: small, immutable, parsed once at the edge, printed the same way everywhere."""
