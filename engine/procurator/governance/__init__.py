"""Who may do what on whose behalf: scopes, chains of delegation, and decisions about calls."""
