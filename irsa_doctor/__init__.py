"""Lints and diagnoses IAM roles for service accounts (IRSA) on Amazon EKS."""
