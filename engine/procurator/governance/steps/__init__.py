"""The steps of a decision, each of which adds to the case what it found."""
