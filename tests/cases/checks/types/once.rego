# What only follows from a mistake is not reported.
package p

object := {"a": 1}

a if lower(object.b) == 1

b if {
	x := object.b
	upper(x) == "A"
	x == 1
}

c := count([x | x := object.b])

d if {
	broken == 1
	broken == "a"
}

broken := lower(1)

#! rego_type_error 6:12 undefined ref: data.p.object.b
#!   data.p.object.b
#!                 ^
#!                 have: "b"
#!                 want (one of): ["a"]
#! rego_type_error 9:7 undefined ref: data.p.object.b
#!   data.p.object.b
#!                 ^
#!                 have: "b"
#!                 want (one of): ["a"]
#! rego_type_error 14:22 undefined ref: data.p.object.b
#!   data.p.object.b
#!                 ^
#!                 have: "b"
#!                 want (one of): ["a"]
#! rego_type_error 21:11 lower: invalid argument(s)
#!   have: (number, ???)
#!   want: (x: string, y: string)
