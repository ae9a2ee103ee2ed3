# in
package agents.operators
sum := 1+2*3-4
grouped := (1+2)*3
left := a-b-c
right := a-(b-c)
negative := -x + -3
member := (x in xs) == true
with_key := [(k,v in pairs), (a|b)]
called := plus(1, 2)
p if {
	a+b==c-d
	(a|b)==c
	a==(b==c)
	(x in xs)==y
	plus(1,2,z)
	1+1 in {2}
}
# out
package agents.operators

sum := (1 + (2 * 3)) - 4
grouped := (1 + 2) * 3
left := (a - b) - c
right := a - (b - c)
negative := (0 - x) + -3
member := (x in xs) == true
with_key := [(k, v in pairs), (a | b)]
called := 1 + 2

p if {
	a + b == c - d
	a | b == c
	a == (b == c)
	(x in xs) == y
	z = 1 + 2
	(1 + 1) in {2}
}
