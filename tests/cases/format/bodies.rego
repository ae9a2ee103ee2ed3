# in
package agents.bodies
p if {
	some x,y
	some k,v in input.map ; every a in [1,2]{a>0}
	every i,a in input.list {
		a>i
		a!=3}


	not input.off
	f(x) with input as {"a":1} with data.b as 2
	g(y) with input.user as "ann"
		with data.roles as {
			"ann": "admin",}
	x=y
}
# out
package agents.bodies

p if {
	some x, y
	some k, v in input.map
	every a in [1, 2] { a > 0 }
	every i, a in input.list {
		a > i
		a != 3
	}

	not input.off
	f(x) with input as {"a": 1} with data.b as 2
	g(y) with input.user as "ann"
		with data.roles as {
			"ann": "admin",
		}
	x = y
}
