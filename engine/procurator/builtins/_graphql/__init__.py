"""The parts of the `graphql.*` built-ins: text to tree, rules of schemas, validation of queries."""
