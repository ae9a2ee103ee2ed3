# METADATA
# scope: package
# title: An agent in an office workspace
# description: |
#   Mail, calendar and drive. Reading is free within the token. What leaves the person's own account, or destroys
#   something, has to be grounded in the request. Files that are written stay in the person's own drive, so only links
#   are looked at.
package procurator.agents.workspace

import data.procurator.agents.grounding
import data.procurator.agents.office

# METADATA
# title: Tools that change nothing
reads := {
	"get_current_day", "get_day_calendar_events", "get_draft_emails", "get_file_by_id", "get_received_emails",
	"get_sent_emails", "get_unread_emails", "list_files", "search_calendar_events", "search_contacts_by_email",
	"search_contacts_by_name", "search_emails", "search_files", "search_files_by_filename",
}

# METADATA
# title: Tools that change something, with their parameters
writes := object.union(office.parameters, {
	"append_to_file": {"file_id", "content"},
	"create_file": {"filename", "content"},
	"delete_email": {"email_id"},
	"delete_file": {"file_id"},
	"share_file": {"file_id", "email", "permission"},
})

_wanted := object.union(office.wanted, {
	"append_to_file": "there may be no link that the person did not name",
	"create_file": "there may be no link that the person did not name",
	"delete_email": "only one mail is deleted unless the person asks for all",
	"delete_file": "only one file is deleted unless the person asks for all",
	"share_file": "the person has to name who gets the file, and to say so if it may be changed",
})

# METADATA
# title: The decision on a call of an agent in an office workspace
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

_grounded("send_email") if office.mail_may_go

_grounded("create_calendar_event") if office.event_may_be_made

_grounded("reschedule_calendar_event") if office.event_may_move

_grounded("cancel_calendar_event") if office.may_take_away(`event|appointment|meeting`)

_grounded("add_calendar_event_participants") if office.people_may_join(input.action.parameters.participants)

_grounded("delete_email") if office.may_take_away(`e?-?mail|message`)

_grounded("delete_file") if office.may_take_away(`file|document`)

_grounded("create_file") if {
	grounding.leads_nowhere(input.action.parameters.filename)
	grounding.leads_nowhere(input.action.parameters.content)
}

_grounded("append_to_file") if grounding.leads_nowhere(input.action.parameters.content)

_grounded("share_file") if {
	office.person_is_named(input.action.parameters.email)
	_permission_is_asked_for(object.get(input.action.parameters, "permission", "r"))
}

_permission_is_asked_for("r")

_permission_is_asked_for("rw") if grounding.speaks_of(`writ(?:e|ing)|edit(?:ing)?|read[-/ ]write|rw`)
