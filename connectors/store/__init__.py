"""The stores that chunks can be kept in."""
