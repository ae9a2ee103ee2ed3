"""What one evaluation carries, and how its course is told."""
