# When strict, bodies inside lines are looked at like any other.
#! strict: true
package p

import rego.v2

a if every x in [1, 2] { startswith(x, "a") }

b if not { lower(1) == "a" }

c if lower(1) == "a" or upper(2) == "B"

d := [x | x := lower(1)]

e := {x: y | some x, y in [1]; x == "a"}

f := $"{lower(1)} and {1 + "a"}"

g if count({x | some x in ["a"]; x == 1}) == 0

fine if {
	every x in input.xs { x == 1 }
	ys := [x | x = 1]
	zs := [x | x = "a"]
	ys != zs
}

#! rego_type_error 7:26 startswith: invalid argument(s)
#!   have: (number, string)
#!   want: (search: string, base: string, result: boolean)
#! rego_type_error 9:12 lower: invalid argument(s)
#!   have: (number, ???)
#!   want: (x: string, y: string)
#! rego_type_error 11:6 lower: invalid argument(s)
#!   have: (number, ???)
#!   want: (x: string, y: string)
#! rego_type_error 11:25 upper: invalid argument(s)
#!   have: (number, ???)
#!   want: (x: string, y: string)
#! rego_type_error 13:16 lower: invalid argument(s)
#!   have: (number, ???)
#!   want: (x: string, y: string)
#! rego_type_error 15:32 match error
#!   left  : number
#!   right : string
#! rego_type_error 17:9 lower: invalid argument(s)
#!   have: (number, ???)
#!   want: (x: string, y: string)
#! rego_type_error 17:24 plus: invalid argument(s)
#!   have: (number, string, ???)
#!   want: (x: number, y: number, z: number)
#! rego_type_error 19:34 match error
#!   left  : string
#!   right : number
