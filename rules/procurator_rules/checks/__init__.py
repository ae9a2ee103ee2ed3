"""The checks of policies: one stage a file, run in order."""
