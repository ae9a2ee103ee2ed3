# What `with` replaces can be anything it is replaced with, and so can all that depends on it.
package p

object := {"a": 1}

size := object.a

f(x) := lower(x)

g(x, y) := [x, y]

a if object.b

b if object.b with data.p.object as {"b": 1}

c if size == "x" with data.p.object as {"a": "x"}

d if size == "x" with input as 1

e if f("x") == "y" with data.p.f as g

h if lower("x") == "y" with lower as concat

i if lower("x") == 1 with upper as f

j if f("x") == "y" with data.p.f as 1

#! rego_type_error 12:6 undefined ref: data.p.object.b
#!   data.p.object.b
#!                 ^
#!                 have: "b"
#!                 want (one of): ["a"]
#! rego_type_error 18:6 match error
#!   left  : number
#!   right : string
#! rego_type_error 20:20 data.p.f: arity mismatch
#!   have: (any, any)
#!   want: (string)
#! rego_type_error 22:24 lower: arity mismatch
#!   have: (string, any<array[string], set[string]>)
#!   want: (x: string)
#! rego_type_error 24:6 match error
#!   left  : string
#!   right : number
