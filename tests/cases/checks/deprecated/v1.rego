# Built-in functions that Rego v1 has given up.
package p

a if any([true])

b := [x | some x in input.xs; all([x])]

c if every x in [1] { re_match("a", "b") }

d if not cast_string("x")

e := set_diff({1}, {2})

#! rego_type_error 4:6 deprecated built-in function calls in expression: any
#! hint: use `some x in xs`, or `true in xs`
#! rego_type_error 6:31 deprecated built-in function calls in expression: all
#! hint: use `every`, or compare the count of what is not true with 0
#! rego_type_error 8:23 deprecated built-in function calls in expression: re_match
#! hint: use `regex.match`
#! rego_type_error 10:6 deprecated built-in function calls in expression: cast_string
#! hint: check with `is_string`
#! rego_type_error 12:6 deprecated built-in function calls in expression: set_diff
#! hint: use the operator `-`
