# A schema that contains itself.
package p

a if input.next.next.next.value == "x"

b if input.next.next.vlue

fine if input.next.next.next.next.value == 1

#! schemas: {"": {"$ref": "#/$defs/node", "$defs": {"node": {"properties": {"next": {"$ref": "#/$defs/node"}, "value": {"type": "number"}}}}}}
#! rego_type_error 4:6 match error
#!   left  : number
#!   right : string
#! rego_type_error 6:6 undefined ref: input.next.next.vlue
#!   input.next.next.vlue
#!                   ^
#!                   have: "vlue"
#!                   want (one of): ["next" "value"]
#! hint: did you mean `value`?
