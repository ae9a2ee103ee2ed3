"""What a prompt may spend: units, windows, accounts, and the stores that keep count."""
