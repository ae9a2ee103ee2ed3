# in
# Copyright

# METADATA
# title: limits
package agents.comments # the package
# about p

# right above p
p := 1 # one
q:=2    # two   
# METADATA
# title: r
r if {# first
	# own line
	x := input.x # the value

	# before y
	y := [ # items
		1, # one
		2,
		# the end
	]
	f(x,
		# second
		y)
	# last
}# after
else := 3 # three
s := {"a": [ # deep
	1 # one
]}
# the end

# really
# out
# Copyright

# METADATA
# title: limits
package agents.comments # the package

# about p

# right above p
p := 1 # one
q := 2 # two

# METADATA
# title: r
r if { # first
	# own line
	x := input.x # the value

	# before y
	y := [ # items
		1, # one
		2,
		# the end
	]
	f(
		x,
		# second
		y,
	)
	# last
} # after

else := 3 # three

s := {"a": [ # deep
	1 # one
]}

# the end
# really
