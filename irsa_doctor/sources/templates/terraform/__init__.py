"""Reads Terraform configuration, plans and states."""
