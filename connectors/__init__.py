"""Keeps the knowledge base true to its sources."""
