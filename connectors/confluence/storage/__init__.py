"""Storage format to Markdown: parsed, read into a small tree, written."""
