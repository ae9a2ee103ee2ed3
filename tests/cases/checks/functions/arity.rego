# Too many and too few arguments.
package p

one(x) := x

two(x, y) := x + y

a := one(1, 2)

b if two(1)

c := lower("a", "b")

d if lower("a", "b", 1)

e := array.concat([1])

f if two(1, 2, 3, 4)

g := one()

fine if {
	one(1)
	two(1, 2, 3)
	lower("A", "a")
	print("any", "number", 1)
}

#! rego_type_error 8:6 function data.p.one has arity 1, got 2 arguments
#! rego_type_error 10:6 function data.p.two has arity 2, got 1 argument
#! rego_type_error 12:6 lower: arity mismatch
#!   have: (string, string, ???)
#!   want: (x: string)
#! rego_type_error 14:6 lower: arity mismatch
#!   have: (string, string, number)
#!   want: (x: string)
#! rego_type_error 16:6 array.concat: arity mismatch
#!   have: (array<number>, ???)
#!   want: (x: array[any], y: array[any])
#! rego_type_error 18:6 function data.p.two has arity 2, got 4 arguments
#! rego_type_error 20:6 function data.p.one has arity 1, got 0 arguments
