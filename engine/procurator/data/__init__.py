"""Data and policies from outside: documents, bundles, their archives and signatures."""
