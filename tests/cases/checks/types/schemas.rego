# Schemas say what input and base documents hold, in annotations and through assignments and arguments.

# METADATA
# scope: package
# schemas:
#   - input: schema.request
package p

a if input.usr

b if {
	user := input.user
	user.nam == "x"
}

c if {
	some role in input.user.roles
	role == 1
}

name_of(user) := user.nick

d := name_of(input.user)

e := name_of({"nick": "x"})

# METADATA
# schemas:
#   - input.extra: {type: number}
#   - data.acl: schema.acl
f if {
	input.extra == "x"
	data.acl.admins == 1
	input.user.name == "x"
}

# METADATA
# schemas:
#   - input: schema.nowhere
g if true

# METADATA
# schemas:
#   - input: {type: text}
h if true

age_of(person) := person.age if person.kind == "human"

age_of(person) := 0 if person.name

fine := age_of(input.user)

#! schemas: {"request": {"type": "object", "properties": {"user": {"type": "object", "properties": {"name": {"type": "string"}, "roles": {"type": "array", "items": {"type": "string"}}}}}}, "acl": {"properties": {"admins": {"items": {"type": "string"}}}}}
#! rego_type_error 9:6 undefined ref: input.usr
#!   input.usr
#!         ^
#!         have: "usr"
#!         want (one of): ["user"]
#! hint: did you mean `user`?
#! rego_type_error 13:2 undefined ref: user.nam
#!   user.nam
#!        ^
#!        have: "nam"
#!        want (one of): ["name" "roles"]
#! hint: did you mean `name`?
#! rego_type_error 18:2 match error
#!   left  : string
#!   right : number
#! rego_type_error 23:6 data.p.name_of: invalid argument(s)
#!   have: (object<name: string, roles: array[string]>)
#!   undefined ref: user.nick at 0.rego:21
#!   user.nick
#!        ^
#!        have: "nick"
#!        want (one of): ["name" "roles"]
#! rego_type_error 32:2 match error
#!   left  : number
#!   right : string
#! rego_type_error 33:2 match error
#!   left  : array[string]
#!   right : number
#! rego_type_error 40:1 undefined schema: schema.nowhere
#! rego_type_error 45:1 unable to compile the schema: has a primitive type that is NOT VALID -- given: /text/ Expected valid values are:[array boolean integer number null object string]
