# METADATA
# title: What a research agent may do
# description: Reading is free for researchers; writing needs a ticket and an open budget.
package demo.agents

default allow := false

allow if {
	input.action == "read"
	"researcher" in input.agent.roles
}

allow if { input.action == "write"; count(deny)==0 }

deny contains "writing needs a ticket" if {
  input.action=="write"
  not input.ticket
}

deny contains sprintf("the budget of %s is spent", [input.agent.name]) if input.agent.spent >= budget[input.agent.name]

budget := {"ada": 1000, "grace":2500}
