"""Why a workload of AKS or GKE does not get the identity of its cloud."""
