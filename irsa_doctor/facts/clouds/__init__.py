"""Facts of workload identities of Azure and Google Cloud."""
