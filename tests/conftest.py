"""What every test starts from: UTC, and no network but loopback."""
