"""Tests of audits account by account."""
