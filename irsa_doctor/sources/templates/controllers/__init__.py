"""Reads Kubernetes objects from which controllers make resources of AWS: Crossplane, ACK, kro."""
