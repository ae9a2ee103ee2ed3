# Bodies inside lines: references have to lead somewhere, comprehensions to be in order; lines may say what never holds.
package p

import rego.v2

num := 1

obj := {"a": 1}

f(x) := x + 1

holds_for_none if {
	every x in ["a"] { x == 1 }
	every i, x in [1] { startswith(x, "a"); i == "b" }
	every x in [1] { some y in ["a"]; y == x; x.foo }
}

never if {
	not { lower(1) == "a" }
	not 1 == "a"
	not { x := 1; x.foo }
	not { {"a": 1}.b == 1 }
	not { obj[lower("a")]; obj[num]; 1 in ["a"]; f("a") }
	not { x := 1; x == 2 with count as plus }
}

either if 1 == "a" or 1 + "a" > 2

both if { x := "b"; x == 1 } and { some x in [1]; x == "a" }

a if every x in [1] { num.foo == x }

b if {
	x := 1
	not { x.foo }
}

c if { some x in num } or { not { obj.b } }

d if not { count([x | x := lower(1)]) > 1 }

e if input.x and { every x in [1 | 1 == "a"] { x > 1 } }

g if every x in [1] { $"{lower(x)}{lower(1)}" == "a" }

h if every x in [1] { obj.b == x with num as 2 }

i if every x in [1] { obj.b == x with obj as {"b": 1} }

j if every x in [1] { every y in num { x != y } }

#! rego_type_error 31:23 undefined ref: data.p.num.foo
#!   data.p.num.foo
#!   ^^^^^^^^^^
#!   have: number
#! rego_type_error 35:8 undefined ref: x.foo
#!   x.foo
#!   ^
#!   have: number
#! rego_type_error 38:18 undefined ref: data.p.num[_]
#!   data.p.num[_]
#!   ^^^^^^^^^^
#!   have: number
#! rego_type_error 38:35 undefined ref: data.p.obj.b
#!   data.p.obj.b
#!              ^
#!              have: "b"
#!              want (one of): ["a"]
#! rego_type_error 40:28 lower: invalid argument(s)
#!   have: (number, ???)
#!   want: (x: string, y: string)
#! rego_type_error 42:36 match error
#!   left  : number
#!   right : string
#! rego_type_error 44:36 lower: invalid argument(s)
#!   have: (number, ???)
#!   want: (x: string, y: string)
#! rego_type_error 46:23 undefined ref: data.p.obj.b
#!   data.p.obj.b
#!              ^
#!              have: "b"
#!              want (one of): ["a"]
