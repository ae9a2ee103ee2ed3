# Arguments that a built-in function cannot take, alone, as operands and as values.
package p

a if startswith(1, "a")

b := lower([]) + 1

c := 1 + "a"

d if {
	x := sum([1, input.y, "z"])
	x > 0
}

e if object.get([1], "k", "default")

f if not upper(null)

fine if {
	sum([1, input.y]) > 0
	sprintf("%v", [input.z])
	lower("a", "a")
}

#! rego_type_error 4:6 startswith: invalid argument(s)
#!   have: (number, string)
#!   want: (search: string, base: string, result: boolean)
#! rego_type_error 6:6 lower: invalid argument(s)
#!   have: (array, ???)
#!   want: (x: string, y: string)
#! rego_type_error 8:6 plus: invalid argument(s)
#!   have: (number, string, ???)
#!   want: (x: number, y: number, z: number)
#! rego_type_error 11:7 sum: invalid argument(s)
#!   have: (array<number, any, string>, ???)
#!   want: (collection: any<array[number], set[number]>, n: number)
#! rego_type_error 15:6 object.get: invalid argument(s)
#!   have: (array<number>, string, string)
#!   want: (object: object[any: any], key: any, default: any, value: any)
#! rego_type_error 17:6 upper: invalid argument(s)
#!   have: (null)
#!   want: (x: string, y: string)
