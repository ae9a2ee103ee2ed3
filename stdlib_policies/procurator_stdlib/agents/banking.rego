# METADATA
# scope: package
# title: An agent at a bank
# description: |
#   Statements and files are read freely within the token. Money goes to accounts and payees that the person names. One
#   payment may go to an account that the agent found, if the person gave the amount, or named the document that asks
#   for it. Standing orders never get a payee that the person did not name; a password is one that the person gave.
package procurator.agents.banking

import data.procurator.agents.grounding

# METADATA
# title: Tools that change nothing
reads := {
	"get_balance", "get_iban", "get_most_recent_transactions", "get_scheduled_transactions", "get_user_info", "read_file",
}

# METADATA
# title: Tools that change something, with their parameters
writes := {
	"schedule_transaction": {"recipient", "amount", "subject", "date", "recurring"},
	"send_money": {"recipient", "amount", "subject", "date"},
	"update_password": {"password"},
	"update_scheduled_transaction": {"id", "recipient", "amount", "subject", "date", "recurring"},
	"update_user_info": {"first_name", "last_name", "street", "city"},
}

_wanted := {
	"schedule_transaction": "the person has to name the payee",
	"send_money": concat(" ", [
		"the person has to name the payee; one payment may go to one that the agent found,",
		"if the person gave the amount or named the document that asks for it",
	]),
	"update_password": "the person has to give the password",
	"update_scheduled_transaction": "the person has to name a new payee, and more than one new amount",
	"update_user_info": "the person has to give what is changed, or to name the document that has it",
}

# METADATA
# title: The decision on a call of an agent at a bank
# entrypoint: true
default decision := {"verdict": "deny", "reason": "unknown_tool", "message": "no such tool, or not for that"}

# METADATA
# title: What the person asked for
decision := {"verdict": "permit"} if allow

# METADATA
# title: Not what the person asked for
decision := {"verdict": "deny", "reason": "not_grounded", "message": _wanted[input.action.tool]} if not allow

# METADATA
# title: A person sends an agent
allow if grounding.is_sent

# METADATA
# title: Reading is free
allow if {
	input.action.tool in reads
	input.action.operation == "read"
}

# METADATA
# title: A change is grounded in the request, and no parameter is left unlooked at
allow if {
	every name, _ in input.action.parameters {
		name in writes[input.action.tool]
	}
	_grounded(input.action.tool)
}

_given := input.action.parameters

_grounded("send_money") if {
	_is_money(_given.amount)
	_payee_is_named(_given.recipient)
}

_grounded("send_money") if {
	_is_money(_given.amount)
	grounding.is_first
	_payment_is_asked_for
}

_grounded("schedule_transaction") if {
	_is_money(_given.amount)
	_payee_is_named(_given.recipient)
}

_grounded("update_scheduled_transaction") if {
	_amount_stays_or_is_money
	_payee_stays_or_is_named
	_may_change
}

_grounded("update_password") if _given.password in _passwords

_grounded("update_user_info") if {
	count(_given) > 0
	every _, value in _given {
		grounding.names(value)
	}
}

_grounded("update_user_info") if {
	_has_read_named_document
	grounding.is_first
}

_is_money(amount) if {
	is_number(amount)
	amount > 0
}

# An account may be written with spaces, in groups of four.
_payee_is_named(payee) if {
	is_string(payee)
	account := replace(payee, " ", "")
	regex.match(`^[A-Za-z]{2}\d{2}[A-Za-z0-9]{6,}$`, account)
	contains(replace(grounding.plain, " ", ""), lower(account))
}

_payee_is_named(payee) if {
	is_string(payee)
	not regex.match(`\d{4}`, payee)
	grounding.names(payee)
}

_payment_is_asked_for if _given.amount in grounding.numbers

_payment_is_asked_for if _has_read_named_document

_has_read_named_document if {
	some action in grounding.done({"read_file"})
	grounding.names(action.parameters.file_path)
}

_amount_stays_or_is_money if object.get(_given, "amount", null) == null

_amount_stays_or_is_money if _is_money(_given.amount)

_payee_stays_or_is_named if object.get(_given, "recipient", null) == null

_payee_stays_or_is_named if _payee_is_named(_given.recipient)

_may_change if grounding.is_first

_may_change if _given.amount in grounding.numbers

# "... the password to 'x'": between quotation marks, or a word with a digit; "to something safe" gives none.
_password_given := `(?i)\bpassword(?: \pL+){0,3}?(?::| (?:to|is|as|be):?) (?:'([^']+)'|"([^"]+)"|(\S*\d\S*))`

_password_mentions := regex.find_all_string_submatch_n(_password_given, grounding.prompt, -1)

_passwords contains found[quoted] if {
	some found in _password_mentions
	some quoted in [1, 2]
	found[quoted] != ""
}

_passwords contains trim_right(found[3], ".,;!?") if {
	some found in _password_mentions
	found[3] != ""
}
