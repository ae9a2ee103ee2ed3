# in
package agents.logic
import future.keywords.and
import future.keywords.not
import future.keywords.or
p if not{input.a;input.b}
q if (input.a or input.b) and input.c
r if input.a or input.b and input.c
s if not (input.a or input.b)
t if {
	{ some x in xs; x > 2 } or
		input.fallback
	input.a and (input.b with input.c as 1)
}
# out
package agents.logic

import future.keywords.and
import future.keywords.not
import future.keywords.or

p if not { input.a; input.b }
q if (input.a or input.b) and input.c
r if input.a or input.b and input.c
s if not (input.a or input.b)

t if {
	{ some x in xs; x > 2 } or
		input.fallback
	input.a and (input.b with input.c as 1)
}
