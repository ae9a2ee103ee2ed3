"""`agentic-governance.yaml`: the settings, read with the place of each mistake."""
