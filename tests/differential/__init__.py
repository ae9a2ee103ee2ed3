"""The same drawn policies evaluated here and by other engines: `make differential`."""
