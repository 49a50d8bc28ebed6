"""What a hostile checker tries from outside, played against the whole house."""
