package demo.mistake

default allow := false

allow if {
	input.action == "read"
	some role in inptu.agent.roles
	startswith(role, "research")
}
