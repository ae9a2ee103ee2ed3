# Keys that objects, arrays and sets cannot have, and references into what has no parts.
package p

object := {"name": "x", "inner": {"size": 1}}

array := [1, "a"]

members contains x if some x in ["a", "b"]

a if object.nam

b if object.inner["sizes"]

c if array[2]

d if array["0"]

e if members[1]

f if object.name.first

g if {
	i := "a"
	array[i]
}

h if {}.a

i if members[["a"]]

j if [1, 2][true]

fine if {
	object[input.key]
	array[input.index]
	members.a
	members[input.member]
	some k
	{}[k]
}

#! rego_type_error 10:6 undefined ref: data.p.object.nam
#!   data.p.object.nam
#!                 ^
#!                 have: "nam"
#!                 want (one of): ["inner" "name"]
#! hint: did you mean `name`?
#! rego_type_error 12:6 undefined ref: data.p.object.inner.sizes
#!   data.p.object.inner.sizes
#!                       ^
#!                       have: "sizes"
#!                       want (one of): ["size"]
#! hint: did you mean `size`?
#! rego_type_error 14:6 undefined ref: data.p.array[2]
#!   data.p.array[2]
#!                ^
#!                have: 2
#!                want (type): number
#! rego_type_error 16:6 undefined ref: data.p.array["0"]
#!   data.p.array["0"]
#!                ^
#!                have: "0"
#!                want (type): number
#! rego_type_error 18:6 undefined ref: data.p.members[1]
#!   data.p.members[1]
#!                  ^
#!                  have: 1
#!                  want (type): string
#! rego_type_error 20:6 undefined ref: data.p.object.name.first
#!   data.p.object.name.first
#!   ^^^^^^^^^^^^^^^^^^
#!   have: string
#! rego_type_error 24:2 undefined ref: data.p.array[i]
#!   data.p.array[i]
#!                ^
#!                have (type): string
#!                want (type): number
#! rego_type_error 27:6 undefined ref: {}.a
#!   {}.a
#!      ^
#!      have: "a"
#!      want (one of): []
#! rego_type_error 29:6 undefined ref: data.p.members[["a"]]
#!   data.p.members[["a"]]
#!                  ^
#!                  have (type): array<string>
#!                  want (type): string
#! rego_type_error 31:6 undefined ref: [1, 2][true]
#!   [1, 2][true]
#!          ^
#!          have: true
#!          want (type): number
