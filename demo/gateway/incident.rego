# METADATA
# title: What agents may do about an incident
# description: >-
#   Reading is free within what was delegated. Writing stays in the folder of the incident, mail stays in the house,
#   and a change of production waits for a person.
package incident

# METADATA
# title: reading what was delegated
allow if input.action.operation == "read"

# METADATA
# title: working in the folder of the incident
allow if {
	input.action.operation == "write"
	input.action.target_resource == input.action.parameters.path
	path := split(input.action.parameters.path, "/")
	array.slice(path, 0, 3) == ["", "incidents", input.prompt_id]
	not ".." in path
}

# METADATA
# title: mail within the house
allow if {
	input.action.tool == "send_mail"
	is_array(input.action.parameters.to)
	count(input.action.parameters.to) > 0
	count(outsiders) == 0
}

# METADATA
# title: handing work on to a colleague
allow if {
	input.action.operation == "delegate"
	input.action.target_resource in object.keys(data.incident.roster)
}

# METADATA
# title: mail of an incident stays in the house
# custom:
#   reason: mail_leaves_the_house
deny if count(outsiders) > 0

# METADATA
# title: a change of production waits for a person
# custom:
#   reason: needs_a_person
propose if {
	input.action.tool == "restart_service"
	startswith(input.action.target_resource, "prod/")
}

outsiders contains recipient if {
	input.action.tool == "send_mail"
	some recipient in input.action.parameters.to
	not endswith(recipient, "@example.org")
}
