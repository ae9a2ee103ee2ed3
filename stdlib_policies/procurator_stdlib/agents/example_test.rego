# METADATA
# scope: package
# title: Requests to test the policies of agents with
package procurator.agents.example

# METADATA
# title: A call that an agent wants to make
# description: "`earlier` are the calls since the person asked, as `called` makes them."
request(prompt, operation, tool, parameters, earlier) := {
	"action": {"operation": operation, "tool": tool, "target_resource": null, "parameters": parameters},
	"delegation": {"root": {"intent": prompt}},
	"history": {"actions": earlier},
}

# METADATA
# title: A call that was permitted and made
called(tool, parameters) := {"tool": tool, "operation": "write", "parameters": parameters, "outcome": "success"}

# METADATA
# title: A call that was permitted and came to nothing
failed(tool, parameters) := object.union(called(tool, parameters), {"outcome": "failure"})
