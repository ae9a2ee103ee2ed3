package procurator.retries_test

import data.procurator.retries

request(outcomes, blind) := {"history": {"current": {
	"digest": "00",
	"failures_since_replan": sum([number | some number in outcomes]),
	"outcomes": outcomes,
	"blind_retries": blind,
}}}

refused(outcomes, blind) if {
	some denial in retries.deny with input as request(outcomes, blind)
	denial.reason == "retry_without_replan"
}

# METADATA
# title: What has not failed is not repeated blindly
test_first_try if {
	count(retries.deny) == 0 with input as request({}, 0)
	count(retries.deny) == 0 with input as {}
}

# METADATA
# title: What has failed is not tried again, and the message says so
test_failure if {
	refused({"failure": 1}, 0)
	refused({"failure": 1, "timeout": 1}, 0)
	messages := {denial.message | some denial in retries.deny} with input as request({"failure": 2}, 1)
	messages == {"it went wrong 2 times, and the plan was not changed since"}
}

# METADATA
# title: What took too long, or was not reported on, is tried again once
test_transient if {
	every outcome in ["timeout", "expired"] {
		not refused({outcome: 1}, 0)
		refused({outcome: 1}, 1)
		refused({outcome: 2}, 1)
	}
}

# METADATA
# title: An outcome that is not known is a failure
test_unknown_outcome if refused({"lost": 1}, 0)

# METADATA
# title: The number is configured
test_configured if {
	not refused({"timeout": 3}, 2) with data.procurator.retries.allowed as 3
	refused({"timeout": 4}, 3) with data.procurator.retries.allowed as 3
	refused({"timeout": 1}, 0) with data.procurator.retries.allowed as 0
}

# METADATA
# title: What is set but is no number allows nothing
test_misconfigured if {
	every allowed in ["many", true, false, null, {}] {
		refused({"timeout": 1}, 0) with data.procurator.retries.allowed as allowed
	}
}
