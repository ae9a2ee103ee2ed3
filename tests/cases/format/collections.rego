# in
package agents.collections
short := {"a":1,"b":[1,2,3],"c":{1,2,3},"d":set(),"e":{}}
long := {"a":1,
	"b":2, "c":3,
	"d":[
		1,2,
		3]}
once := {1, 1, 1.0, 2}
first_below := [
	1, 2]
nested := f(
	[1,
	2],3)
squares := [y|some x in xs;y:=x*x]
names := {name |
	some user in data.users
	name := user.name }
index := {user.id:user | some user in data.users; user.active}
union := {(a|b),c}
# out
package agents.collections

short := {"a": 1, "b": [1, 2, 3], "c": {1, 2, 3}, "d": set(), "e": {}}
long := {
	"a": 1,
	"b": 2, "c": 3,
	"d": [
		1, 2,
		3,
	],
}

once := {1, 2}
first_below := [
	1, 2,
]

nested := f(
	[
		1,
		2,
	],
	3,
)

squares := [y | some x in xs; y := x * x]
names := {name |
	some user in data.users
	name := user.name
}

index := {user.id: user | some user in data.users; user.active}
union := {(a | b), c}
