# METADATA
# scope: package
# title: An agent in a chat workspace
# description: |
#   Channels, inboxes and lists of members are read freely within the token. Messages never have a link that the person
#   did not name; they go to people and channels that the person names, or say what the person said. Who joins is
#   somebody whom the person names or asks for. A page that the person did not name is opened only when it is found in a
#   channel or an inbox that the person pointed to: one for each, or all of them if the person asks for all.
package procurator.agents.slack

import data.procurator.agents.grounding

# METADATA
# title: Tools that change nothing
reads := {"get_channels", "get_users_in_channel", "read_channel_messages", "read_inbox"}

# METADATA
# title: Tools that change something or reach out of the workspace, with their parameters
writes := {
	"add_user_to_channel": {"user", "channel"},
	"get_webpage": {"url"},
	"invite_user_to_slack": {"user", "user_email"},
	"post_webpage": {"url", "content"},
	"remove_user_from_slack": {"user"},
	"send_channel_message": {"channel", "body"},
	"send_direct_message": {"recipient", "body"},
}

_wanted := {
	"add_user_to_channel": "the person has to name the member and the channel, or to describe them",
	"get_webpage": "the person has to name the page, or to point to the messages that do",
	"invite_user_to_slack": "the person has to name who is invited, and the address has to be theirs",
	"post_webpage": "the person has to name the page and every link in what is posted",
	"remove_user_from_slack": "the person has to name who is removed",
	"send_channel_message": "the person has to name the channel, or to give the message, and to name every link in it",
	"send_direct_message": "the person has to name the recipient, or to give the message, and to name every link in it",
}

# METADATA
# title: The decision on a call of an agent in a chat workspace
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
# title: What reaches further is grounded in the request, and no parameter is left unlooked at
allow if {
	every name, _ in input.action.parameters {
		name in writes[input.action.tool]
	}
	_grounded(input.action.tool)
}

_given := input.action.parameters

# Messages

_grounded("send_direct_message") if {
	grounding.leads_nowhere(_given.body)
	_recipient_fits
}

_grounded("send_channel_message") if {
	grounding.leads_nowhere(_given.body)
	_audience_fits
}

_recipient_fits if grounding.names(_given.recipient)

_recipient_fits if grounding.own_words(_given.body)

_audience_fits if _channel_is_named(_given.channel)

_audience_fits if grounding.own_words(_given.body)

_audience_fits if grounding.hands_over

_channel_is_named(channel) if grounding.names(channel)

_channel_is_named(channel) if {
	is_string(channel)
	described := `\b(?:start|begin)(?:s|ing|ning)? with ['"]?([\pL\pN_-]+)`
	some found in regex.find_all_string_submatch_n(described, grounding.plain, -1)
	startswith(lower(channel), found[1])
}

# Members

_grounded("add_user_to_channel") if {
	_member_fits(_given.user)
	_channel_fits(_given.channel)
}

_member_fits(user) if grounding.names(user)

_member_fits(user) if {
	some invitation in grounding.done({"invite_user_to_slack"})
	invitation.parameters.user == user
}

_member_fits(_) if {
	grounding.asks_for_every(`user|member|person|people|colleague|employee`)
	count(grounding.done({"get_users_in_channel"})) > 0
}

_member_fits(_) if {
	grounding.hands_over
	count(grounding.done({"get_users_in_channel"})) > 0
}

_channel_fits(channel) if _channel_is_named(channel)

_channel_fits(_) if grounding.speaks_of("channels")

_channel_fits(_) if grounding.hands_over

# "A channel with ..." is one: whoever is added, it stays the same.
_channel_fits(channel) if {
	grounding.speaks_of("channel")
	every action in grounding.done({"add_user_to_channel"}) {
		action.parameters.channel == channel
	}
}

_grounded("invite_user_to_slack") if {
	_address_is_theirs
	_invitation_is_asked_for
}

_address_is_theirs if grounding.names_address(_given.user_email)

_address_is_theirs if {
	is_string(_given.user)
	is_string(_given.user_email)
	name := concat("", grounding.words_of(_given.user))
	count(name) > 1
	startswith(concat("", grounding.words_of(split(_given.user_email, "@")[0])), name)
}

_invitation_is_asked_for if {
	grounding.names(_given.user)
	every invitation in grounding.done({"invite_user_to_slack"}) {
		invitation.parameters.user != _given.user
	}
}

# "Invite our new colleague": somebody whom the messages that the person pointed to have to name.
_invitation_is_asked_for if {
	grounding.is_first
	count(_sources) > 0
}

_grounded("remove_user_from_slack") if grounding.names(_given.user)

# Pages

_grounded("get_webpage") if grounding.names_link(_given.url)

_grounded("get_webpage") if count(_found_pages) < count(_sources)

_grounded("get_webpage") if {
	count(_sources) > 0
	grounding.asks_for_every(`web ?site|web ?page|page|site|link|article|url|blog`)
}

_grounded("post_webpage") if {
	grounding.names_link(_given.url)
	grounding.leads_nowhere(_given.content)
}

_found_pages := [action |
	some action in grounding.done({"get_webpage"})
	not grounding.names_link(action.parameters.url)
]

_sources contains action.parameters if {
	some action in grounding.done({"read_channel_messages", "read_inbox"})
	_is_pointed_to(action.parameters)
}

_is_pointed_to(parameters) if grounding.names(parameters.channel)

_is_pointed_to(parameters) if grounding.names(parameters.user)

_is_pointed_to(_) if grounding.hands_over
