# One annotation of a scope for a package, its subpackages or a document.

# METADATA
# scope: package
# title: first

# METADATA
# scope: package
# title: second

# METADATA
# scope: subpackages
# title: below

# METADATA
# scope: subpackages
# title: below again
package p

# METADATA
# scope: document
# title: all
r contains 1

# METADATA
# scope: document
# title: all again
r contains 2

# METADATA
# title: rules can have as many as they like
r contains 3

# METADATA
# title: really
r contains 4

#! rego_type_error 7:1 package annotation redeclared: 0.rego:3
#! rego_type_error 15:1 subpackages annotation redeclared: 0.rego:11
#! rego_type_error 25:1 document annotation redeclared: 0.rego:20
