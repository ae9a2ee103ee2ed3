"""From a configuration to the parts of a gateway."""
