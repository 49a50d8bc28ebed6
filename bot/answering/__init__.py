"""From a question to an answer with citations. The only package that knows LangChain's chat side."""
