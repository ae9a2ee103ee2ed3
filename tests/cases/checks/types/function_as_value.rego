# Functions that are not called.
package p

f(x) := lower(x)

a if f

b := f

c if f.x

d := [1, data.p.f]

e if {
	some i
	f[i]
}

#! rego_type_error 6:6 function data.p.f used as reference, not called
#!   data.p.f
#!   ^^^^^^^^
#!   have: (string) => string
#! hint: call it: `data.p.f(_)`
#! rego_type_error 8:6 function data.p.f used as reference, not called
#!   data.p.f
#!   ^^^^^^^^
#!   have: (string) => string
#! hint: call it: `data.p.f(_)`
#! rego_type_error 10:6 function data.p.f.x used as reference, not called
#!   data.p.f.x
#!   ^^^^^^^^
#!   have: (string) => string
#! hint: call it: `data.p.f(_)`
#! rego_type_error 12:10 function data.p.f used as reference, not called
#!   data.p.f
#!   ^^^^^^^^
#!   have: (string) => string
#! hint: call it: `data.p.f(_)`
#! rego_type_error 16:2 function data.p.f[i] used as reference, not called
#!   data.p.f[i]
#!   ^^^^^^^^
#!   have: (string) => string
#! hint: call it: `data.p.f(_)`
