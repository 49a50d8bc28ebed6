"""A Slack, a Confluence and a Claude that run on this machine. For `quoth demo` and for the tests."""
