# METADATA
# scope: package
# title: Mail and calendars of agents
# description: |
#   What the policies of agents that write mails and events have in common. A mail goes to people whom the request
#   names. Where it describes them instead ("the client", "each person on the list"), the mail is about what the person
#   said, there is only one of them unless the person asks for all, and there is none if the person gave an address:
#   that is the one meant.
package procurator.agents.office

import data.procurator.agents.grounding

# METADATA
# title: The parameters of the tools that write mails and events
parameters := {
	"add_calendar_event_participants": {"event_id", "participants"},
	"cancel_calendar_event": {"event_id"},
	"create_calendar_event": {"title", "start_time", "end_time", "description", "location", "participants"},
	"reschedule_calendar_event": {"event_id", "new_start_time", "new_end_time"},
	"send_email": {"recipients", "cc", "bcc", "subject", "body", "attachments"},
}

# METADATA
# title: What these tools want of the request, for people
wanted := {
	"add_calendar_event_participants": "the person has to name those who are added, or to ask for people to be added",
	"cancel_calendar_event": "only one event is cancelled unless the person asks for all",
	"create_calendar_event": concat(" ", [
		"title and day of the event have to be the person's, participants people whom the person names or asks to invite,",
		"and there may be no link that the person did not name",
	]),
	"reschedule_calendar_event": "the person has to name the new day, or no day at all",
	"send_email": concat(" ", [
		"the person has to name the recipients, or to describe them and give the subject,",
		"and there may be no link that the person did not name",
	]),
}

_people := `person|people|participant|attendee|member|user|colleague|client|customer|guest|contact|recipient|team ?mate`

_given := input.action.parameters

# METADATA
# title: Whether a mail may be sent
mail_may_go if {
	_recipients_are_listed
	_mail_leads_nowhere
	every address in _recipients {
		person_is_named(address)
	}
}

mail_may_go if {
	_recipients_are_listed
	_mail_leads_nowhere
	count(grounding.addresses) == 0
	grounding.own_words(_given.subject)
	_one_or_all
}

_mail_leads_nowhere if {
	grounding.leads_nowhere(_given.subject)
	grounding.leads_nowhere(_given.body)
}

_recipient_fields := ["recipients", "cc", "bcc"]

_recipients_are_listed if {
	every field in _recipient_fields {
		type_name(object.get(_given, field, null)) in {"array", "null"}
	}
}

_recipients := [address |
	some field in _recipient_fields
	some address in _given[field]
]

_one_or_all if grounding.is_first

_one_or_all if grounding.speaks_of(`everyone|everybody`)

_one_or_all if grounding.asks_for_every(_people)

# METADATA
# title: Whether the request names a person by the address
# description: The address itself, or the name that it is called like, if the agent looked that name up among the contacts.
person_is_named(address) if grounding.names_address(address)

person_is_named(address) if {
	grounding.called_like_named(address)
	some lookup in grounding.done({"search_contacts_by_name"})
	grounding.names(lookup.parameters.query)
}

# METADATA
# title: Whether people may be let in on something
# description: |
#   Each is named; or the person asks for people to be invited whom the agent has to find, gives no address, and it is
#   the first time. Nobody may always join.
people_may_join(null)

people_may_join(people) if {
	is_array(people)
	every address in people {
		person_is_named(address)
	}
}

people_may_join(people) if {
	is_array(people)
	count(grounding.addresses) == 0
	grounding.speaks_of(`participants?|attendees?|invitees?|guests?|invite`)
	grounding.is_first
}

# METADATA
# title: Whether an event may be made
event_may_be_made if {
	_event_is_the_persons(_given.title)
	grounding.day_fits(_given.start_time)
	every field in ["title", "description", "location"] {
		grounding.leads_nowhere(object.get(_given, field, null))
	}
	people_may_join(object.get(_given, "participants", null))
}

_event_is_the_persons(title) if grounding.own_words(title)

_event_is_the_persons(title) if grounding.fills_in(title)

# METADATA
# title: Whether an event may be moved
event_may_move if {
	grounding.day_fits(_given.new_start_time)
	grounding.day_fits(object.get(_given, "new_end_time", _given.new_start_time))
}

# METADATA
# title: Whether something may be taken away
# description: One thing, which the person described; or all of them.
may_take_away(_) if grounding.is_first

may_take_away(noun) if grounding.asks_for_every(noun)
