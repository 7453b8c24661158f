"""`pxar`: one module a command."""
