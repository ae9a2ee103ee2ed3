# METADATA
# title: What agents may do to roll a patch out
# description: Hosts are patched freely, within the budget of the prompt. Production databases wait for a person.
package rollout

import data.procurator.retries

# METADATA
# title: Handing work on
allow if input.action.operation == "delegate"

# METADATA
# title: Patching a host
allow if input.action.tool == "patch_host"

# METADATA
# title: A database of production waits for a person
propose contains {"reason": "needs_a_person", "message": "patching it interrupts customers"} if {
	startswith(input.action.target_resource, "prod/db-")
}

# METADATA
# title: What failed is not repeated blindly
deny contains reason if some reason in retries.deny
