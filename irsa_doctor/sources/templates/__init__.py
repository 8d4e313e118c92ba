"""Readers of what makes AWS resources: Terraform, CloudFormation, eksctl. What they cannot know stays a hole."""
