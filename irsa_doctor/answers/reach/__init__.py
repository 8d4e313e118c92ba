"""Answers who becomes a role through Kubernetes, and what one subject can become."""
