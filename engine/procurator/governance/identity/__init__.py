"""Who acts: persons by OIDC, agents by their registered keys."""
