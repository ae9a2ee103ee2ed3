"""The parts of the `io.jwt.*` built-ins: keys, signatures, tokens."""
