# Only functions are called; a rule whose value can be anything is compared with the only operand.
package p

one := 1

several contains 1

nothing() := 2

anything := input.x

under.a := 1

a if one(1)

b := one()

c if several(1)

d if nothing()

e if under.a(1)

f if one(1) with one as 2

fine if anything(1)

also_fine := anything()

#! rego_type_error 14:6 undefined function data.p.one
#! rego_type_error 16:6 undefined function data.p.one
#! rego_type_error 18:6 undefined function data.p.several
#! rego_type_error 20:6 undefined function data.p.nothing
#! rego_type_error 22:6 undefined function data.p.under.a
#! rego_type_error 24:6 undefined function data.p.one
