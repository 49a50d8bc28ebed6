"""Reads Confluence: spaces, pages, restrictions, and bodies as Markdown."""
