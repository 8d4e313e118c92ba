"""What AWS decides about tokens of EKS and trust policies, as vectors that every evaluator can be asked."""
