"""Who reaches roles through Kubernetes: what roles admit, the graph of identities, and who is listed."""
