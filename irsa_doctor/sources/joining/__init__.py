"""Joins the records of single documents into one inventory."""
