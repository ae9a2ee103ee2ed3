# A function without a value stands for none.
package p

a := print(1)

b if x := print("a", input.y)

c := [print(1)]

fine if print(1)

#! rego_type_error 4:6 print(1) used as value
#! rego_type_error 6:11 print("a", input.y) used as value
#! rego_type_error 8:7 print(1) used as value
