"""Keys and what is signed with them: Ed25519 and P-256, JWS, and the key sets of issuers."""
