"""Chains of delegation: their tokens, what has to hold for each link, and proofs that a holder asks."""
