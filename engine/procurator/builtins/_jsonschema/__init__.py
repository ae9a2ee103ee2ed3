"""JSON Schema as OPA's validator has it: drafts 4, 6 and 7, and a mixture of them for schemas that name none.

A schema is read once into nodes (`loading`), which are then applied to documents (`validation`). The order of its
errors and the choice of the alternative to tell about are that validator's, so the library jsonschema serves only for
references and the schemas of schemas.
"""
