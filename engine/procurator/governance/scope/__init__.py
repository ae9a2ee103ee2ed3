"""What an authority admits, and whether one authority contains another."""
