# METADATA
# scope: package
# title: Doing the same again after it failed
# description: |
#   An action that failed is not repeated unless the plan was changed since. What has only taken too long may be tried
#   again as often as `data.procurator.retries.allowed` says, once by default; so may what nobody has reported on.
package procurator.retries

# METADATA
# title: A blind retry is refused
deny contains {"reason": "retry_without_replan", "message": message} if {
	past := input.history.current
	past.failures_since_replan > 0
	not _is_allowed(past)
	message := sprintf("it went wrong %d times, and the plan was not changed since", [past.failures_since_replan])
}

_transient := {"timeout", "expired"}

_is_allowed(past) if {
	every outcome, _ in past.outcomes {
		outcome in _transient
	}
	past.blind_retries < _allowed
}

# What is set but no number allows nothing.
default _allowed := 0

_allowed := 1 if not _is_set

_allowed := number if {
	number := data.procurator.retries.allowed
	is_number(number)
}

_is_set if type_name(data.procurator.retries.allowed)
