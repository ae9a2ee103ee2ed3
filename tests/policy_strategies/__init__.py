"""Policies drawn at random: modules, base documents, inputs, and queries over them."""
