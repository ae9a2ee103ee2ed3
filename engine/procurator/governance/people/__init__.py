"""What people do to a gateway: register agents, revoke, stop, raise a budget, resume. Each is an entry of the log."""
