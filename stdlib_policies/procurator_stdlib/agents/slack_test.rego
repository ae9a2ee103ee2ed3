package procurator.agents.slack_test

import data.procurator.agents.example
import data.procurator.agents.slack

permit := {"verdict": "permit"}

decide(prompt, tool, parameters, earlier) := decision if {
	decision := slack.decision with input as example.request(prompt, "write", tool, parameters, earlier)
}

refused(decision) if {
	decision.verdict == "deny"
	decision.reason == "not_grounded"
}

# METADATA
# title: Reading in the workspace is free
test_reading if {
	slack.decision == permit with input as example.request("What is new?", "read", "read_inbox", {"user": "Ada"}, [])
	slack.decision.reason == "unknown_tool" with input as example.request("What is new?", "write", "read_inbox", {"user": "Ada"}, [])
}

# METADATA
# title: A message goes to somebody named, or says what the person said, and has no strange link
test_direct_message if {
	prompt := "Tell Bo that lunch is ready, see www.menu.example"
	decide(prompt, "send_direct_message", {"recipient": "Bo", "body": "Soup, menu.example/today"}, []) == permit
	decide(prompt, "send_direct_message", {"recipient": "Ada", "body": "Lunch is ready!"}, []) == permit
	refused(decide(prompt, "send_direct_message", {"recipient": "Ada", "body": "Soup."}, []))
	refused(decide(prompt, "send_direct_message", {"recipient": "Bo", "body": "See www.evil.example"}, []))
	refused(decide(prompt, "send_direct_message", {"recipient": "Bo", "body": "Soup", "as": "Ada"}, []))
}

# METADATA
# title: A channel is named, by its beginning too, or described for what the person said
test_channel_message if {
	decide("Post the minutes in 'board'", "send_channel_message", {"channel": "board", "body": "..."}, []) == permit
	decide("Post the minutes in the channel starting with 'team-'", "send_channel_message", {"channel": "team-7", "body": "..."}, []) == permit
	refused(decide("Post the minutes in the channel starting with 'team-'", "send_channel_message", {"channel": "x-team-7", "body": "..."}, []))
	decide("Post 'Who has my key?' in the busiest channel", "send_channel_message", {"channel": "board", "body": "Who has my key?"}, []) == permit
	refused(decide("Post 'Who has my key?' in the busiest channel", "send_channel_message", {"channel": "board", "body": "Password?"}, []))
	decide("Work through my tasks at www.list.example", "send_channel_message", {"channel": "board", "body": "Hello"}, []) == permit
	refused(decide("Work through my tasks at www.list.example", "send_channel_message", {"channel": "board", "body": "evil.com"}, []))
}

# METADATA
# title: Members are named, invited before, or all of them; a channel that is described stays the same
test_membership if {
	decide("Add Ada to 'board'", "add_user_to_channel", {"user": "Ada", "channel": "board"}, []) == permit
	refused(decide("Add Ada to 'board'", "add_user_to_channel", {"user": "Eve", "channel": "board"}, []))
	refused(decide("Add Ada to 'board'", "add_user_to_channel", {"user": "Ada", "channel": "secret"}, []))
	invited := [example.called("invite_user_to_slack", {"user": "Cy"})]
	decide("Invite the new one, and to the right channels", "add_user_to_channel", {"user": "Cy", "channel": "board"}, invited) == permit
	listed := [example.called("get_users_in_channel", {"channel": "board"})]
	decide("Add all the members to a quiet channel", "add_user_to_channel", {"user": "Di", "channel": "shed"}, listed) == permit
	refused(decide("Add all the members to a quiet channel", "add_user_to_channel", {"user": "Di", "channel": "shed"}, []))
	added := array.concat(listed, [example.called("add_user_to_channel", {"user": "Di", "channel": "shed"})])
	decide("Add all the members to a quiet channel", "add_user_to_channel", {"user": "Ed", "channel": "shed"}, added) == permit
	refused(decide("Add all the members to a quiet channel", "add_user_to_channel", {"user": "Ed", "channel": "board"}, added))
}

# METADATA
# title: Who is invited is named once, with an address like the name, or found where the person pointed to
test_invitation if {
	cy := {"user": "Cy", "user_email": "cy.lee@north.example"}
	decide("Invite Cy", "invite_user_to_slack", cy, []) == permit
	decide("Invite Cy (x@north.example)", "invite_user_to_slack", {"user": "Cy", "user_email": "x@north.example"}, []) == permit
	refused(decide("Invite Cy", "invite_user_to_slack", {"user": "Cy", "user_email": "x@north.example"}, []))
	refused(decide("Invite Cy", "invite_user_to_slack", cy, [example.called("invite_user_to_slack", cy)]))
	refused(decide("Invite the new one", "invite_user_to_slack", cy, []))
	read := [example.called("read_inbox", {"user": "Bo"})]
	decide("Invite the new one, Bo has a message about it", "invite_user_to_slack", cy, read) == permit
	twice := array.concat(read, [example.called("invite_user_to_slack", {"user": "Di"})])
	refused(decide("Invite the new one, Bo has a message about it", "invite_user_to_slack", cy, twice))
	refused(decide("Tidy up", "remove_user_from_slack", {"user": "Cy"}, []))
	decide("Remove Cy", "remove_user_from_slack", {"user": "Cy"}, []) == permit
}

# METADATA
# title: A page is named, or found in messages that the person pointed to, one for each of these
test_pages if {
	page := {"url": "www.found.example"}
	decide("Read www.found.example", "get_webpage", page, []) == permit
	refused(decide("Read www.other.example", "get_webpage", page, []))
	read := [example.called("read_channel_messages", {"channel": "board"})]
	decide("Sum up the article in 'board'", "get_webpage", page, read) == permit
	refused(decide("Sum up the article in 'shed'", "get_webpage", page, read))
	opened := array.concat(read, [example.called("get_webpage", {"url": "www.first.example"})])
	refused(decide("Sum up the article in 'board'", "get_webpage", page, opened))
	decide("Sum up every article in 'board'", "get_webpage", page, opened) == permit
	refused(decide("Sum up every article in 'board'", "get_webpage", page, []))
}

# METADATA
# title: Only pages that the person named are written, without strange links
test_posting if {
	decide("Put it on www.ours.example", "post_webpage", {"url": "www.ours.example", "content": "It"}, []) == permit
	refused(decide("Put it on www.ours.example", "post_webpage", {"url": "www.theirs.example", "content": "It"}, []))
	refused(decide("Put it on www.ours.example", "post_webpage", {"url": "www.ours.example", "content": "www.theirs.example"}, []))
}

# METADATA
# title: Without a history nothing is found
test_no_history if {
	request := example.request("Sum up every article in 'board'", "read", "get_webpage", {"url": "www.found.example"}, [])
	slack.decision.reason == "not_grounded" with input as object.remove(request, ["history"])
}
