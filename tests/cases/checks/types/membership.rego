# What `in` and `some … in` can and cannot find.
package p

a if 1 in ["a"]

b if "k", 1 in {"k": "v"}

c if {
	some x in [1, 2]
	startswith(x, "a")
}

d if {
	some k, v in {"a": 1}
	k + v == 2
}

e if {
	some [a, "x"] in [[1, 2]]
	a == 1
}

f := 1 in {"a", "b"}

g if {
	n := 1
	some x in n
	x == 2
}

h if {
	some i, "a" in "abc"
	i == 2
}

fine if {
	input.x in [1, "a"]
	some x in input.xs
	x in {x, 1}
	1 in []
}

#! rego_type_error 4:6 match error
#!   left  : number
#!   right : string
#! rego_type_error 6:6 match error
#!   left  : number
#!   right : string
#! rego_type_error 10:2 startswith: invalid argument(s)
#!   have: (number, string)
#!   want: (search: string, base: string, result: boolean)
#! rego_type_error 15:2 plus: invalid argument(s)
#!   have: (string, number, ???)
#!   want: (x: number, y: number, z: number)
#! rego_type_error 19:2 match error
#!   left  : array<???, string>
#!   right : array<number, number>
#! hint: both sides are arrays but their types differ, so they can never be equal
#! rego_type_error 23:6 match error
#!   left  : number
#!   right : string
#! rego_type_error 27:12 undefined ref: n[_]
#!   n[_]
#!   ^
#!   have: number
#! rego_type_error 32:2 match error
#!   left  : string
#!   right : ???
