"""Who may do what: passwords, tickets, tokens, roles and the access control list (auth.md)."""
