"""The log that is only added to: entries, masks, the Merkle tree, checkpoints, and how all of it is verified."""
