# in
package agents.unusual
p := # why
	1
q := f(1, # one
	2) # two
r if {
	x ==
		# what it should be
		3
	a; # first
	b
}
s contains x if {
	x := 1
	# in the end
}
t if {
	allow with input as {} # nothing
		# but a user
		with data.users as []
}
# out
package agents.unusual

p := 1 # why

q := f(
	1, # one
	2, # two
)

r if {
	x == 3 # what it should be
	a # first
	b
}

s contains x if {
	x := 1
}

# in the end

t if {
	allow with input as {} # nothing
		# but a user
with 		data.users as []
}
