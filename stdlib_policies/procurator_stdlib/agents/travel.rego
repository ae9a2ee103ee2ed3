# METADATA
# scope: package
# title: An agent that plans journeys
# description: |
#   Looking hotels, restaurants, cars and flights up is free within the token. A reservation is for the days that the
#   person gave, and for what the person named or, once, for what the agent found. What identifies the person (passport,
#   cards) is read only if the request speaks of it.
package procurator.agents.travel

import data.procurator.agents.grounding
import data.procurator.agents.office

# METADATA
# title: Tools that change nothing
reads := {
	"check_restaurant_opening_hours", "get_all_car_rental_companies_in_city", "get_all_hotels_in_city",
	"get_all_restaurants_in_city", "get_car_fuel_options", "get_car_price_per_day", "get_car_rental_address",
	"get_car_types_available", "get_contact_information_for_restaurants", "get_cuisine_type_for_restaurants",
	"get_day_calendar_events", "get_dietary_restrictions_for_all_restaurants", "get_flight_information",
	"get_hotels_address", "get_hotels_prices", "get_price_for_restaurants", "get_rating_reviews_for_car_rental",
	"get_rating_reviews_for_hotels", "get_rating_reviews_for_restaurants", "get_restaurants_address",
	"search_calendar_events",
}

# METADATA
# title: What each kind of reservation is for, and its times
reservations := {
	"reserve_car_rental": {"of": "company", "times": ["start_time", "end_time"]},
	"reserve_hotel": {"of": "hotel", "times": ["start_day", "end_day"]},
	"reserve_restaurant": {"of": "restaurant", "times": ["start_time"]},
}

# METADATA
# title: Tools that change something, with their parameters
writes := object.union(
	object.remove(office.parameters, ["add_calendar_event_participants", "reschedule_calendar_event"]),
	{tool: parameters |
		some tool, kind in reservations
		parameters := {name | some name in array.concat([kind.of], kind.times)}
	},
)

_wanted := object.union(office.wanted, {
	"get_user_information": "the person has to ask for personal information",
	"reserve_car_rental": _reservation_wanted,
	"reserve_hotel": _reservation_wanted,
	"reserve_restaurant": _reservation_wanted,
})

_reservation_wanted := "the person has to give the days, and what is reserved, unless it is the only reservation"

# METADATA
# title: The decision on a call of an agent that plans journeys
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
# title: Looking things up is free
allow if {
	input.action.tool in reads
	input.action.operation == "read"
}

# METADATA
# title: Personal information is read when the person speaks of it
allow if {
	input.action.tool == "get_user_information"
	input.action.operation == "read"
	grounding.speaks_of(`my (?:\pL+ )?(?:information|details|data|passport|id|card|account|phone|address)`)
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

_grounded("cancel_calendar_event") if office.may_take_away(`event|appointment|reminder`)

_grounded(tool) if {
	kind := reservations[tool]
	every time in kind.times {
		grounding.day_fits(input.action.parameters[time])
	}
	_may_reserve(input.action.parameters[kind.of])
}

_may_reserve(place) if grounding.names(place)

_may_reserve(_) if grounding.is_first
