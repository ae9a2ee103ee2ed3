# The types of rules reach the rules that refer to them, whatever their order.
package p

a if limit == "ten"

limit := 10

b if names.x

names contains name if some name in ["x"]

c if sizes.small == "1"

sizes[name] := size if some name, size in {"small": 1}

d if mixed == true

mixed := 1 if input.x

else := "one" if input.y

e if tree.left.value == "v"

tree.left.value := 1

tree.right[side] := 2 if some side in ["up"]

f if tree.right.up == "v"

g if fallback == true

default fallback := "none"

fallback := 1 if input.z

h if flag == 1

flag if input.flag

#! rego_type_error 4:6 match error
#!   left  : number
#!   right : string
#! rego_type_error 12:6 match error
#!   left  : number
#!   right : string
#! rego_type_error 16:6 match error
#!   left  : any<number, string>
#!   right : boolean
#! rego_type_error 22:6 match error
#!   left  : number
#!   right : string
#! rego_type_error 28:6 match error
#!   left  : number
#!   right : string
#! rego_type_error 30:6 match error
#!   left  : any<number, string>
#!   right : boolean
#! rego_type_error 36:6 match error
#!   left  : boolean
#!   right : number
