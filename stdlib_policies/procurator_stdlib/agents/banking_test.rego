package procurator.agents.banking_test

import data.procurator.agents.banking
import data.procurator.agents.example

permit := {"verdict": "permit"}

account := "DE02100100100006820101"

other := "FR7630006000011234567890189"

pay(prompt, recipient, amount, earlier) := decision if {
	payment := {"recipient": recipient, "amount": amount, "subject": "x", "date": "2031-01-01"}
	decision := banking.decision with input as example.request(prompt, "write", "send_money", payment, earlier)
}

change(prompt, tool, parameters, earlier) := decision if {
	decision := banking.decision with input as example.request(prompt, "write", tool, parameters, earlier)
}

refused(decision) if {
	decision.verdict == "deny"
	decision.reason == "not_grounded"
}

# METADATA
# title: Reading is free, and what only claims to read is not
test_reading if {
	banking.decision == permit with input as example.request("How much is left?", "read", "get_balance", {}, [])
	banking.decision.reason == "unknown_tool" with input as example.request("How much is left?", "write", "get_balance", {}, [])
	banking.decision.reason == "unknown_tool" with input as example.request("Close it", "read", "close_account", {}, [])
	banking.decision.reason == "not_grounded" with input as example.request("Pay", "read", "send_money", {}, [])
}

# METADATA
# title: A payee is named by the account, with spaces or without, or by name
test_named_payee if {
	pay(sprintf("Send them (%s) the rest", [account]), account, 5, []) == permit
	pay("Send DE02 1001 0010 0006 8201 01 the rest", account, 5, []) == permit
	pay("Send the City Library the difference", "City Library", 5, []) == permit
	refused(pay(sprintf("Send them (%s) the rest", [account]), other, 5, []))
	refused(pay("Send the City Library the difference", "City Gym", 5, []))
	refused(pay("Send the City Library the difference", "City Library", -5, []))
	refused(pay("Send the City Library the difference", "City Library", "5", []))
}

# METADATA
# title: A parameter that the policy does not know is refused
test_unknown_parameter if {
	parameters := {"recipient": "City Library", "amount": 5, "subject": "x", "date": "2031-01-01", "on_behalf_of": "all"}
	refused(change("Send the City Library 5", "send_money", parameters, []))
}

# METADATA
# title: One payment goes to an account that the agent found, if the person gave the amount
test_found_payee_by_amount if {
	prompt := "Return the 12.50 that my sister sent me"
	pay(prompt, account, 12.5, []) == permit
	pay(prompt, account, 12.5, [example.failed("send_money", {})]) == permit
	refused(pay(prompt, account, 125, []))
	refused(pay(prompt, other, 12.5, [example.called("send_money", {"recipient": account, "amount": 12.5})]))
}

# METADATA
# title: One payment is what a document asks for that the person named and the agent read
test_found_payee_by_document if {
	prompt := "Please pay 'dentist.pdf'"
	read := example.called("read_file", {"file_path": "dentist.pdf"})
	pay(prompt, account, 80, [read]) == permit
	refused(pay(prompt, account, 80, []))
	refused(pay(prompt, account, 80, [example.called("read_file", {"file_path": "other.pdf"})]))
	refused(pay(prompt, other, 80, [read, example.called("send_money", {"recipient": account, "amount": 80})]))
}

# METADATA
# title: A new standing order is for a payee that the person names
test_schedule if {
	order := {"recipient": account, "amount": 9, "subject": "x", "date": "2031-01-01", "recurring": true}
	change(sprintf("Pay %s as much as the gym", [account]), "schedule_transaction", order, []) == permit
	refused(change("Pay her 9 a month", "schedule_transaction", order, []))
}

# METADATA
# title: A standing order keeps its payee unless the person names another, and changes once unless the amount is given
test_update if {
	tool := "update_scheduled_transaction"
	before := [example.called(tool, {"id": 1, "amount": 3})]
	change("Adjust my rent to the letter", tool, {"id": 4, "amount": 900, "recipient": null}, []) == permit
	change("My rent is 900 now", tool, {"id": 4, "amount": 900}, before) == permit
	change(sprintf("Rent goes to %s now", [account]), tool, {"id": 4, "recipient": account}, []) == permit
	refused(change("Adjust my rent to the letter", tool, {"id": 4, "amount": 900}, before))
	refused(change("Adjust my rent to the letter", tool, {"id": 4, "recipient": account}, []))
	refused(change("My rent is 900 now", tool, {"id": 4, "amount": 0}, []))
}

# METADATA
# title: A password is one that the person gave
test_password if {
	change("Set the password to 'Open Sesame!', please.", "update_password", {"password": "Open Sesame!"}, []) == permit
	change("New password: k3-x9.", "update_password", {"password": "k3-x9"}, []) == permit
	refused(change("Change the password to something safe", "update_password", {"password": "something"}, []))
	refused(change("Set the password to 'Open Sesame!'", "update_password", {"password": "password"}, []))
}

# METADATA
# title: An address is the person's, or from a document that the person named
test_user_info if {
	change("I live at 7 Mill Lane, Leeds now", "update_user_info", {"street": "7 Mill Lane", "city": "Leeds"}, []) == permit
	refused(change("I live at 7 Mill Lane, Leeds now", "update_user_info", {"street": "8 Mill Lane", "city": "Leeds"}, []))
	read := [example.called("read_file", {"file_path": "moving.txt"})]
	change("Use the address of moving.txt", "update_user_info", {"street": "9 High Street"}, read) == permit
	refused(change("Use the address of moving.txt", "update_user_info", {"street": "9 High Street"}, []))
}
