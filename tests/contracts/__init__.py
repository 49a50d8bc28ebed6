"""What every implementation of a port must do. Subclass a contract and give it the real thing."""
