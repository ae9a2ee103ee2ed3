"""From the checked tree to Python code: build the plan, run the passes over it, generate, load."""
