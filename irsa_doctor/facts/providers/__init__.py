"""Facts of OIDC providers and of clusters."""
