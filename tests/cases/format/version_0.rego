# in v0
package agents.old
import future.keywords.in
p[x] { x = input.xs[_] }
q = 3
q = 4
r { 1 in [1]; not input.off }
t[k] = v { v := input.m[k] }
u.name { true }
f(x) = y { y = x } else = 3
f(3)
default s = false
# out
package agents.old

import future.keywords.in

p[x] {
	x = input.xs[_]
}

q = 3

q = 4

r {
	1 in [1]
	not input.off
}

t[k] = v {
	v := input.m[k]
}

u["name"]

f(x) = y {
	y = x
}

else = 3

f(3)

default s = false
