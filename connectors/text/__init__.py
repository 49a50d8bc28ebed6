"""From a document to chunks and terms: Markdown's outline, cutting, analysis."""
