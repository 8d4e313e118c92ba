"""Reads CloudFormation templates and their parameters."""
