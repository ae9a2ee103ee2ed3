# Functions that there are not, with the nearest name.
package p

allowed(x) if x

a if undefinedfn(1)

b := loweer("x")

c if startwith("a", "b")

d if data.p.alowed(1)

e if regex.matches("a", "b")

f if every x in [1] { nothing_like_it(x) }

g := [x | x := indexOf("a", "b")]

#! rego_type_error 6:6 undefined function undefinedfn
#! rego_type_error 8:6 undefined function loweer
#! hint: did you mean `lower`?
#! rego_type_error 10:6 undefined function startwith
#! hint: did you mean `startswith`?
#! rego_type_error 12:6 undefined function data.p.alowed
#! hint: did you mean `data.p.allowed`?
#! rego_type_error 14:6 undefined function regex.matches
#! hint: did you mean `regex.match`?
#! rego_type_error 16:23 undefined function nothing_like_it
#! rego_type_error 18:16 undefined function indexOf
#! hint: did you mean `indexof`?
