"""The API viewer: the OpenAPI document as one page for people."""
