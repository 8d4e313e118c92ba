"""Facts of workloads: Pods, and templates of Pods."""
