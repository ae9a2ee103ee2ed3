# in
package app.limits
import data.zones # where
import data.people as staff
import input.request


import rego.v1
import data.zones.europe
# the rest
import data.agents["back office"].x
p := 1
# out
package app.limits

import data.people as staff
import data.zones # where
import input.request

import data.zones.europe
import rego.v1

# the rest
import data.agents["back office"].x

p := 1
