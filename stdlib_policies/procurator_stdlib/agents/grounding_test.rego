package procurator.agents.grounding_test

import data.procurator.agents.example
import data.procurator.agents.grounding

asked(prompt) := example.request(prompt, "write", "tool", {}, [])

# METADATA
# title: A name is grounded whatever its case and punctuation, and only as a whole
test_names if {
	prompt := "Read 'minutes-2031.txt' and book Hotel 'Am Markt'!"
	values := ["hotel am markt", "Am Markt", "minutes-2031.txt", "Mark", "Markt Am", "minutes-2031.txt.exe", "", " - ", 7, null]
	found := [value | some value in values; grounding.names(value) with input as asked(prompt)]
	found == ["hotel am markt", "Am Markt", "minutes-2031.txt"]
}

# METADATA
# title: Without a request nothing is grounded
test_no_request if {
	every document in [{}, {"delegation": {"root": {}}}, {"delegation": {"root": {"intent": 7}}}] {
		not grounding.names("anything") with input as document
		not grounding.own_words("anything") with input as document
		not grounding.names_link("anything.example") with input as document
		not grounding.day_fits("2031-05-20") with input as document
		not grounding.is_first with input as document
		grounding.addresses == set() with input as document
	}
}

# METADATA
# title: A text is the person's if its longer words are
test_own_words if {
	prompt := "Tell them that you have put the red umbrella into the hall."
	texts := ["I have put the red umbrella into the hall!", "umbrella 7x", "the blue umbrella", "7 - ok", "", null]
	found := [text | some text in texts; grounding.own_words(text) with input as asked(prompt)]
	found == ["I have put the red umbrella into the hall!", "umbrella 7x"]
}

# METADATA
# title: Placeholders of a quoted form may be filled in, what is around them may not be changed
test_fills_in if {
	prompt := `I'm busy, so don't forget: add "Lunch (team) at {place}, {city}" and 'Call {name}'`
	texts := ["Lunch (team) at Roma, Graz", "Call Ada", "Lunch team at Roma, Graz", "Lunch (team) at Roma", "Please Call Ada", "Call "]
	found := [text | some text in texts; grounding.fills_in(text) with input as asked(prompt)]
	found == ["Lunch (team) at Roma, Graz", "Call Ada"]
}

# METADATA
# title: Addresses are found between quotation marks and before a full stop
test_addresses if {
	grounding.addresses == {"ada.king@example.com", "bo+x@mail.example.org"} with input as asked("'Ada.King@example.com', bo+x@mail.example.org.")
	grounding.names_address("ADA.king@example.com") with input as asked("to Ada.King@example.com")
	not grounding.names_address("ada.king@example.com.evil.example") with input as asked("to Ada.King@example.com")
}

# METADATA
# title: An address is called like somebody if it has the whole name and nothing else
test_called_like_named if {
	values := ["ada.king@x.example", "ada_king@y.example", "ada@x.example", "ada.king.7@x.example", "king.ada@x.example"]
	found := [value | some value in values; grounding.called_like_named(value) with input as asked("Invite Ada King.")]
	found == ["ada.king@x.example", "ada_king@y.example"]
}

# METADATA
# title: Links are found with and without a scheme, mail addresses and file names are none
test_links_of if {
	text := "See https://a.example/x?y=1, (www.B.example), c.com/d. Mail e@f.com about g.docx; h.zip/i and http://j.com@k.example!"
	grounding.links_of(text) == {"a.example/x?y=1", "b.example", "c.com/d", "h.zip/i", "j.com@k.example"}
}

# METADATA
# title: A link is named if it is the person's or below it
test_names_link if {
	prompt := "Read www.club.example/news and our site www.shop.com.They know."
	values := [
		"www.club.example/news", "https://club.example/news/7/", "shop.com/a", "www.shop.com",
		"club.example", "club.example/newsletter", "shop.com.evil.example", "shop.com@evil.example", "evil.example/shop.com",
	]
	found := [value | some value in values; grounding.names_link(value) with input as asked(prompt)]
	found == ["www.club.example/news", "https://club.example/news/7/", "shop.com/a", "www.shop.com"]
}

# METADATA
# title: A text leads nowhere if every link in it is the person's
test_leads_nowhere if {
	texts := ["nothing", "see shop.com/a", null, "see shop.com and www.evil.example", "evil.com", 7]
	found := [text | some text in texts; grounding.leads_nowhere(text) with input as asked("Tell them of www.shop.com")]
	found == ["nothing", "see shop.com/a", null]
}

# METADATA
# title: Numbers are read with commas and decimals
test_numbers if {
	grounding.numbers == {12.5, 30000, 1234567.25, 7} with input as asked("12.50 or 30,000, then 1,234,567.25; 7. Not x9 nor DE12.")
}

# METADATA
# title: Dates are read in words and as numbers, with years where the person gave them
test_dates if {
	grounding.dates == {
		{"month": 1, "day": 11}, {"month": 1, "day": 15, "year": 2031}, {"month": 11, "day": 14}, {"month": 6, "day": 3},
		{"month": 6, "day": 5}, {"month": 8, "day": 1, "year": 2032}, {"month": 3, "day": 2}, {"month": 3, "day": 9},
	} with input as asked("January 11th to January 15th, 2031; the 14th of November. From 3 to the 5 June; 2032-08-01, Mar. 2 - 9")
}

# METADATA
# title: A day has to be one that the request names; its year counts if the person gave one
test_names_day if {
	times := ["2031-01-15 10:00", "2031-01-15", "2031-01-15T10:00:00Z", "2030-01-15", "2031-02-03 00:00", "2032-02-03", "2031-01-16", "soon", null]
	found := [time | some time in times; grounding.names_day(time) with input as asked("January 15th 2031 and 3 February")]
	found == ["2031-01-15 10:00", "2031-01-15", "2031-01-15T10:00:00Z", "2031-02-03 00:00", "2032-02-03"]
	grounding.day_fits("2031-07-07 10:00") with input as asked("whenever they say")
	not grounding.day_fits("whenever") with input as asked("whenever they say")
	not grounding.day_fits("2031-07-07 10:00") with input as asked("on July 8th")
}

# METADATA
# title: All of something are asked for in several ways
test_asks_for_every if {
	prompts := ["Read all the reports", "each new report", "every report of ours", "all of my reports", "the reports", "all members, then a report"]
	found := [prompt | some prompt in prompts; grounding.asks_for_every("report") with input as asked(prompt)]
	found == array.slice(prompts, 0, 4)
}

# METADATA
# title: A list elsewhere is handed over, one in the request is not
test_hands_over if {
	prompts := [
		"Do all the tasks on my list", "Follow the instructions in 'a.txt'", "Carry out the actions of her mail",
		"Perform the following tasks: 1. Rest.", "Do it", "Which tasks are mine?",
	]
	found := [prompt | some prompt in prompts; grounding.hands_over with input as asked(prompt)]
	found == array.slice(prompts, 0, 3)
}

# METADATA
# title: What failed does not count as done
test_is_first if {
	made := [example.called("other", {}), example.failed("tool", {})]
	grounding.is_first with input as example.request("Go", "write", "tool", {}, made)
	unknown := array.concat(made, [{"tool": "tool", "operation": "write", "parameters": {}}])
	not grounding.is_first with input as example.request("Go", "write", "tool", {}, unknown)
}
