"""Answers questions in Slack from the knowledge base."""
