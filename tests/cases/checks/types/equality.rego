# Two sides of `=`, `:=` and `==` that can never be equal.
package p

a if 1 == "a"

b if count(input.xs) == []

c if {
	x := [1, input.y]
	x == ["a", 2]
}

d if {
	[x, "b"] = [1, 2]
	x == 1
}

e if {
	{"k": v} = {"k": [true]}
	v == "x"
}

fine if {
	input.x == 1
	{1, "a"} == {input.y}
	set() == {1}
	[] == [1 | false]
	null == input.z
}

#! rego_type_error 4:6 match error
#!   left  : number
#!   right : string
#! rego_type_error 6:6 match error
#!   left  : number
#!   right : array
#! rego_type_error 10:2 match error
#!   left  : array<number, any>
#!   right : array<string, number>
#! hint: both sides are arrays but their types differ, so they can never be equal
#! rego_type_error 14:2 match error
#!   left  : array<???, string>
#!   right : array<number, number>
#! hint: both sides are arrays but their types differ, so they can never be equal
#! rego_type_error 20:2 match error
#!   left  : array<boolean>
#!   right : string
