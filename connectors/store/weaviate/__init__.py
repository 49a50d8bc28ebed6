"""Chunks on Weaviate: where the nodes are, what is asked of them, and what their answers mean."""
