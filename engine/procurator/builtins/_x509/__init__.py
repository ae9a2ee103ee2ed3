"""Certificates and keys: PEM, DER, the JSON that Go's structs give, and the verification of chains."""
