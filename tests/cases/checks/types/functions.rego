# Functions take what their bodies can use, and give what they give.
package p

shout(text) := upper(text)

pair(a, b) := [a, b]

describe(x) := {"value": x}

pick({"kind": kind}) := lower(kind)

choose(x) := "one" if x == 1

choose(x) := 2 if x == 2

a := shout(1)

b if pair(1, 2) == 3

c if describe(1).values

d := pick({"kind": 1})

e if choose(1) == true

f if shout("a", 1)

fine if {
	shout(input.x) == "A"
	pair(1, "b") == [1, input.b]
	choose(input.x) in [2, "one"]
}

#! rego_type_error 16:6 data.p.shout: invalid argument(s)
#!   have: (number, ???)
#!   want: (string, string)
#! rego_type_error 18:6 match error
#!   left  : array<any, any>
#!   right : number
#! rego_type_error 20:6 undefined ref: data.p.describe(1).values
#!   data.p.describe(1).values
#!                      ^
#!                      have: "values"
#!                      want (one of): ["value"]
#! hint: did you mean `value`?
#! rego_type_error 22:6 data.p.pick: invalid argument(s)
#!   have: (object<kind: number>, ???)
#!   want: (object<kind: string>, string)
#! rego_type_error 24:6 match error
#!   left  : any<number, string>
#!   right : boolean
#! rego_type_error 26:6 data.p.shout: invalid argument(s)
#!   have: (string, number)
#!   want: (string, string)
