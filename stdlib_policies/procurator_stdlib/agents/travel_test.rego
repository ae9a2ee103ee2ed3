package procurator.agents.travel_test

import data.procurator.agents.example
import data.procurator.agents.travel

permit := {"verdict": "permit"}

decide(prompt, operation, tool, parameters, earlier) := decision if {
	decision := travel.decision with input as example.request(prompt, operation, tool, parameters, earlier)
}

refused(decision) if {
	decision.verdict == "deny"
	decision.reason == "not_grounded"
}

stay := {"hotel": "Villa Rosa", "start_day": "2031-03-01", "end_day": "2031-03-04"}

# METADATA
# title: Looking things up is free, personal information is not
test_reading if {
	decide("Where can I stay?", "read", "get_all_hotels_in_city", {"city": "Graz"}, []) == permit
	decide("Fill in my passport number", "read", "get_user_information", {}, []) == permit
	refused(decide("Where can I stay?", "read", "get_user_information", {}, []))
	decide("Where can I stay?", "read", "get_secrets", {}, []).reason == "unknown_tool"
}

# METADATA
# title: A reservation is for the person's days, and for what the person named or for one that the agent found
test_reservation if {
	named := "Book Villa Rosa from March 1st to March 4th 2031"
	decide(named, "write", "reserve_hotel", stay, []) == permit
	decide(named, "write", "reserve_hotel", stay, [example.called("reserve_hotel", {})]) == permit
	refused(decide(named, "write", "reserve_hotel", object.union(stay, {"end_day": "2031-03-09"}), []))
	refused(decide(named, "write", "reserve_hotel", object.remove(stay, ["end_day"]), []))
	described := "Book the cheapest hotel from March 1st to March 4th 2031"
	decide(described, "write", "reserve_hotel", stay, []) == permit
	refused(decide(described, "write", "reserve_hotel", stay, [example.called("reserve_hotel", {})]))
}

# METADATA
# title: Tables and cars are reserved like rooms
test_other_reservations if {
	table := {"restaurant": "Il Sole", "start_time": "2031-03-01 19:00"}
	decide("A table at Il Sole on 1 March", "write", "reserve_restaurant", table, []) == permit
	refused(decide("A table at Il Sole on 2 March", "write", "reserve_restaurant", table, []))
	car := {"company": "Wheels", "start_time": "2031-03-01 09:00", "end_time": "2031-03-02 09:00"}
	decide("A car of Wheels, March 1-2", "write", "reserve_car_rental", car, []) == permit
	refused(decide("A car of Wheels, March 1-2", "write", "reserve_car_rental", object.union(car, {"driver": "Eve"}), []))
}

# METADATA
# title: A reminder may fill in a title that the person gave as a form
test_event if {
	prompt := "Remind me on April 2nd with 'Call {hotel}', and put the address into the place"
	event := {"title": "Call Villa Rosa", "start_time": "2031-04-02 09:00", "end_time": "2031-04-02 10:00", "location": "7 Via Nuova"}
	decide(prompt, "write", "create_calendar_event", event, []) == permit
	refused(decide(prompt, "write", "create_calendar_event", object.union(event, {"title": "Stay at Villa Rosa"}), []))
	refused(decide(prompt, "write", "create_calendar_event", object.union(event, {"start_time": "2031-05-02 09:00"}), []))
}

# METADATA
# title: Mail and cancellations are as in an office
test_office if {
	mail := {"recipients": ["bo@north.example"], "subject": "x", "body": "y"}
	decide("Tell bo@north.example where I stay", "write", "send_email", mail, []) == permit
	refused(decide("Tell ada@north.example where I stay", "write", "send_email", mail, []))
	decide("Cancel the reminder", "write", "cancel_calendar_event", {"event_id": "1"}, []) == permit
	decide("Move it", "write", "reschedule_calendar_event", {}, []).verdict == "deny"
}
