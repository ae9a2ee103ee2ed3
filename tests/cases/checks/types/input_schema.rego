# One schema for input, given from outside, applies everywhere.
package p

a if input.name == 1

b if input.nme

c if input.tags[_].id

f(x) if x.first

d if f(input)

e if input.name == 1 with input as {"name": 1}

#! schemas: {"": {"type": "object", "properties": {"name": {"type": "string"}, "tags": {"items": {"type": "string"}}}}}
#! rego_type_error 4:6 match error
#!   left  : string
#!   right : number
#! rego_type_error 6:6 undefined ref: input.nme
#!   input.nme
#!         ^
#!         have: "nme"
#!         want (one of): ["name" "tags"]
#! hint: did you mean `name`?
#! rego_type_error 8:6 undefined ref: input.tags[_].id
#!   input.tags[_].id
#!   ^^^^^^^^^^^^^
#!   have: string
#! rego_type_error 12:6 data.p.f: invalid argument(s)
#!   have: (object<name: string, tags: array[string]>)
#!   undefined ref: x.first at 0.rego:10
#!   x.first
#!     ^
#!     have: "first"
#!     want (one of): ["name" "tags"]
