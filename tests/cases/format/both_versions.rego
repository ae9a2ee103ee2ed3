# in v0 v0_v1
package agents.old
import future.keywords.in
p[x] { x = input.xs[_] }
q = 3
r { 1 in [1]; not input.off }
t[k] = v { v := input.m[k] } 
f(x) = y { y = x } { y = 2 }
default s = false
# out
package agents.old

import rego.v1

p contains x if x = input.xs[_]
q := 3

r if {
	1 in [1]
	not input.off
}

t[k] := v if v := input.m[k]
f(x) := y if y = x

f(x) := y if y = 2

default s := false
