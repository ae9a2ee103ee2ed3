"""Actions that wait for a person, who may answer, and what they answer."""
