"""How the tables that connectors own came to be, step by step, forward only."""
