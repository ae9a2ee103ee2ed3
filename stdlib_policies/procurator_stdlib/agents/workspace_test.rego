package procurator.agents.workspace_test

import data.procurator.agents.example
import data.procurator.agents.workspace

permit := {"verdict": "permit"}

decide(prompt, tool, parameters, earlier) := decision if {
	decision := workspace.decision with input as example.request(prompt, "write", tool, parameters, earlier)
}

refused(decision) if {
	decision.verdict == "deny"
	decision.reason == "not_grounded"
}

mail(recipients, subject, body) := {"recipients": recipients, "subject": subject, "body": body}

# METADATA
# title: Reading is free, an unknown tool is not
test_reading if {
	workspace.decision == permit with input as example.request("Any news?", "read", "get_unread_emails", {}, [])
	workspace.decision.reason == "unknown_tool" with input as example.request("Any news?", "read", "run_macro", {}, [])
}

# METADATA
# title: A mail goes to addresses that the person gave, in every field
test_mail_to_given if {
	prompt := "Send my notes to ada@north.example and bo@north.example"
	decide(prompt, "send_email", mail(["bo@north.example"], "Notes", "1, 2"), []) == permit
	decide(prompt, "send_email", object.union(mail(["bo@north.example"], "Notes", "1"), {"cc": null}), []) == permit
	refused(decide(prompt, "send_email", mail(["eve@south.example"], "my notes", "1, 2"), []))
	refused(decide(prompt, "send_email", object.union(mail(["bo@north.example"], "Notes", "1"), {"bcc": ["eve@south.example"]}), []))
	refused(decide(prompt, "send_email", mail("eve@south.example", "Notes", "1, 2"), []))
	refused(decide(prompt, "send_email", mail([null], "Notes", "1, 2"), []))
	refused(decide(prompt, "send_email", object.union(mail(["bo@north.example"], "Notes", "1"), {"reply_to": "eve@south.example"}), []))
}

# METADATA
# title: A mail has no link that the person did not name
test_mail_with_link if {
	prompt := "Send ada@north.example the way to www.north.example/map"
	decide(prompt, "send_email", mail(["ada@north.example"], "Map", "https://north.example/map"), []) == permit
	refused(decide(prompt, "send_email", mail(["ada@north.example"], "Map", "https://south.example/map"), []))
	refused(decide(prompt, "send_email", mail(["ada@north.example"], "south.com", "Map"), []))
}

# METADATA
# title: A name stands for an address after it was looked up
test_mail_to_name if {
	prompt := "Write to Ada King that I am late"
	looked_up := [example.called("search_contacts_by_name", {"query": "Ada King"}), example.called("send_email", {})]
	decide(prompt, "send_email", mail(["ada.king@north.example"], "Hello", "Late."), looked_up) == permit
	refused(decide(prompt, "send_email", mail(["ada.king@north.example"], "Hello", "Late."), []))
	refused(decide(prompt, "send_email", mail(["ada.kingsley@north.example"], "Hello", "Late."), looked_up))
}

# METADATA
# title: Who is only described gets one mail on what the person said, or as many as there are people asked for
test_mail_to_described if {
	sent := [example.called("send_email", {})]
	one := "Send the landlord a complaint about the heating"
	decide(one, "send_email", mail(["lo@east.example"], "Complaint: heating", "Cold."), []) == permit
	refused(decide(one, "send_email", mail(["lo@east.example"], "Complaint: heating", "Cold."), sent))
	refused(decide(one, "send_email", mail(["lo@east.example"], "Great offer", "Cold."), []))
	many := "Send every member of the club the date of the party"
	decide(many, "send_email", mail(["lo@east.example"], "Date of the party", "Soon."), sent) == permit
	refused(decide(many, "send_email", mail(["lo@east.example"], "Invoice", "Soon."), sent))
}

# METADATA
# title: An event has a title, a day and people that are the person's
test_event if {
	prompt := "Make an event 'Book club' on 3 June 2031 at 18:00 with ada@north.example"
	event := {"title": "Book club", "start_time": "2031-06-03 18:00", "end_time": "2031-06-03 19:00", "participants": ["ada@north.example"]}
	decide(prompt, "create_calendar_event", event, []) == permit
	decide(prompt, "create_calendar_event", object.union(event, {"participants": null, "location": null}), []) == permit
	refused(decide(prompt, "create_calendar_event", object.union(event, {"title": "Book sale"}), []))
	refused(decide(prompt, "create_calendar_event", object.union(event, {"start_time": "2031-06-04 18:00"}), []))
	refused(decide(prompt, "create_calendar_event", object.union(event, {"participants": ["eve@south.example"]}), []))
	refused(decide(prompt, "create_calendar_event", object.union(event, {"description": "Join at meet.com/x"}), []))
}

# METADATA
# title: People whom the agent has to find are invited once, and if no address is given
test_event_with_found_people if {
	prompt := "Repeat the 'Budget round' on 2031-06-03 with the same participants"
	event := {"title": "Budget round", "start_time": "2031-06-03 18:00", "end_time": "2031-06-03 19:00", "participants": ["x@north.example"]}
	decide(prompt, "create_calendar_event", event, []) == permit
	refused(decide(prompt, "create_calendar_event", event, [example.called("create_calendar_event", {})]))
	refused(decide("Add 'Budget round' on 2031-06-03", "create_calendar_event", event, []))
	added := {"event_id": "4", "participants": ["x@north.example"]}
	decide("Invite the team to the round", "add_calendar_event_participants", added, []) == permit
	decide("Add x@north.example to the guests", "add_calendar_event_participants", added, []) == permit
	refused(decide("Add y@north.example to the guests", "add_calendar_event_participants", added, []))
}

# METADATA
# title: An event moves to the day that the person gave
test_reschedule if {
	moved := {"event_id": "4", "new_start_time": "2031-06-03 18:00", "new_end_time": "2031-06-03 19:00"}
	decide("Move the round to June 3rd", "reschedule_calendar_event", moved, []) == permit
	refused(decide("Move the round to June 13th", "reschedule_calendar_event", moved, []))
}

# METADATA
# title: One thing is deleted or cancelled, or all of them
test_taking_away if {
	every tool, prompts in {
		"cancel_calendar_event": ["Cancel my lunch", "Cancel all my meetings"],
		"delete_email": ["Delete the mail of Bo", "Delete every e-mail of Bo"],
		"delete_file": ["Delete the oldest file", "Delete all of these files"],
	} {
		decide(prompts[0], tool, {}, []) == permit
		refused(decide(prompts[0], tool, {}, [example.called(tool, {})]))
		decide(prompts[1], tool, {}, [example.called(tool, {})]) == permit
	}
}

# METADATA
# title: Files may be written without strange links, and are shared with whom the person names
test_files if {
	decide("List what I need in 'a.txt'", "create_file", {"filename": "a.txt", "content": "Rope"}, []) == permit
	decide("Add rope to the list", "append_to_file", {"file_id": "3", "content": "Rope"}, []) == permit
	refused(decide("Add rope to the list", "append_to_file", {"file_id": "3", "content": "Rope of http://south.example"}, []))
	shared := {"file_id": "3", "email": "ada@north.example"}
	decide("Share it with ada@north.example", "share_file", shared, []) == permit
	refused(decide("Share it with ada@north.example", "share_file", object.union(shared, {"permission": "rw"}), []))
	decide("Let ada@north.example edit it", "share_file", object.union(shared, {"permission": "rw"}), []) == permit
	refused(decide("Share it with bo@north.example", "share_file", shared, []))
}
