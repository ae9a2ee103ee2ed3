# METADATA
# scope: package
# title: What a person's request names
# description: |
#   An agent reads mails, pages and files that strangers may have written, so what it wants to do proves nothing about
#   what was asked for. The request of the person does: the gateway signs it into the root of the delegation before the
#   agent reads anything. The policies of agents therefore ask whether what a call acts upon (a person, an address, an
#   account, a link, a date, a text) is *grounded* in the request. This package answers that, for requests in English.
#
#   Where the request describes something rather than naming it ("the bill", "the largest file"), the agent has to find
#   it, and a policy can bound how often: once, or as often as it takes where the person asks for all of them.
package procurator.agents.grounding

# METADATA
# title: The request
# description: Undefined where the delegation carries none; nothing is grounded then.
prompt := input.delegation.root.intent if is_string(input.delegation.root.intent)

# METADATA
# title: The request in lower case
# description: A sentence that begins without a space before it is parted from the one before, so that it ends no link.
plain := lower(regex.replace(prompt, `([\p{Ll}\p{N}])\.(\p{Lu}\p{Ll}*(?:[\s,;:]|$))`, "$1. $2"))

# METADATA
# title: The words of a text
# description: In lower case and in order; whatever is neither letter nor digit parts them.
words_of(text) := regex.find_n(`[\p{L}\p{N}]+`, lower(text), -1)

# METADATA
# title: The words of the request
words := {word | some word in words_of(plain)}

_spoken := sprintf(" %s ", [concat(" ", words_of(plain))])

# METADATA
# title: Whether the request names something
# description: Its words, one after the other, whatever their case and the punctuation between them.
names(value) if {
	is_string(value)
	wanted := words_of(value)
	count(wanted) > 0
	contains(_spoken, sprintf(" %s ", [concat(" ", wanted)]))
}

# METADATA
# title: Whether a text says only what the person said
# description: |
#   Every word of three letters or more is one of the request. Shorter words and numbers may differ: they are what
#   changes when "tell them that you have" becomes "I have", or when a placeholder is filled in.
own_words(text) if {
	is_string(text)
	telling := {word | some word in words_of(text); count(word) > 2; not regex.match(`\p{N}`, word)}
	count(telling) > 0
	every word in telling {
		word in words
	}
}

# METADATA
# title: Whether a text fills in a form of words that the person gave
# description: A text of the request between quotation marks with placeholders in braces, as in 'Dinner at {restaurant}'.
fills_in(text) if {
	is_string(text)
	some form in regex.find_all_string_submatch_n(`['"]([^'"{}]*\{[^'"]*\}[^'"{}]*)['"]`, prompt, -1)
	literal := regex.replace(form[1], `([.*+?()|\[\]\\^$])`, `\$1`)
	regex.match(sprintf(`^(?i:%s)$`, [regex.replace(literal, `\{[^{}]*\}`, ".+")]), text)
}

# METADATA
# title: The addresses of mail in the request
addresses := {address | some address in regex.find_n(`[\p{L}\p{N}._%+-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+`, plain, -1)}

# METADATA
# title: Whether the request has an address of mail
names_address(address) if {
	is_string(address)
	lower(address) in addresses
}

# METADATA
# title: Whether an address is called like somebody whom the request names
# description: "`ada.king@example.com` for Ada King: the whole name, and nothing that the name does not have."
called_like_named(address) if {
	is_string(address)
	name := split(address, "@")[0]
	count(words_of(name)) > 1
	names(name)
}

_link_with_scheme := `(?:[a-z][a-z0-9+.-]*://|www\.)[^\s<>"'(){}\[\],;]+`

_top_level_domains := concat("|", [
	"ai", "app", "biz", "cn", "co", "com", "dev", "edu", "eu", "gl", "gov", "info", "io", "ly", "me", "net", "online", "org",
	"ru", "shop", "site", "tk", "top", "uk", "us", "xyz",
])

_link_without_scheme := sprintf(
	`(?:[\p{L}\p{N}-]+\.)+(?:\p{L}{2,}/[^\s<>"'(){}\[\],;]*|(?:%s)\b(?:[?#:][^\s<>"'(){}\[\],;]*)?)`,
	[_top_level_domains],
)

# METADATA
# title: The links in a text
# description: With or without a scheme; the domain of an address of mail is none.
links_of(text) := {normal_link(link) | some link in array.concat(schemed, bare)} if {
	schemed := regex.find_n(_link_with_scheme, lower(text), -1)
	without_mail := regex.replace(lower(text), `[\p{L}\p{N}._%+-]+@[\p{L}\p{N}.-]+`, " ")
	bare := regex.find_n(_link_without_scheme, without_mail, -1)
}

# METADATA
# title: A link as links are compared
# description: In lower case, without its scheme, `www.` and the punctuation behind it.
normal_link(link) := regex.replace(regex.replace(lower(link), `^(?:[a-z][a-z0-9+.-]*://)?(?:www\.)?`, ""), `[/.!?:]+$`, "")

# METADATA
# title: The links in the request
links := links_of(plain)

# METADATA
# title: Whether the request names a link
# description: The link itself, or a page above it.
names_link(link) if {
	is_string(link)
	normal_link(link) in links
}

names_link(link) if {
	is_string(link)
	some named in links
	startswith(normal_link(link), sprintf("%s/", [named]))
}

# METADATA
# title: Whether a text leads nowhere that the person did not name
# description: |
#   For whatever other people will read. A link is how a planted text travels on, or how what is secret leaves. A link
#   that is spelt out ("example dot com") is not seen. No text leads nowhere.
leads_nowhere(null)

leads_nowhere(text) if {
	is_string(text)
	every link in links_of(text) {
		names_link(link)
	}
}

# METADATA
# title: The numbers in the request
# description: Those of a hundred characters and more, of which some are too large for a number, are none.
numbers := {to_number(trim_right(replace(number, ",", ""), ".")) |
	some number in regex.find_n(`\b\d{1,3}(?:,\d{3})+(?:\.\d+)?\b|\b\d+(?:\.\d+)?\b`, plain, -1)
	count(number) < 100
}

_month := concat("", [
	`(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|`,
	`sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)`,
])

_months := {
	"jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6,
	"jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
}

_day := `(\d{1,2})(?:st|nd|rd|th)?`

_until := `(?: ?[-–] ?| (?:to|until|till|and|or) (?:the )?)`

_year := `(?:,? (\d{4}))?\b`

# Where in each form of a date month, day and year stand; 0 is nowhere.
_dates_written := [
	{"form": concat("", [`\b`, _month, `\.? `, _day, _year]), "month": 1, "day": 2, "year": 3},
	{"form": concat("", [`\b`, _day, ` (?:of )?`, _month, _year]), "month": 2, "day": 1, "year": 3},
	{"form": concat("", [`\b`, _month, `\.? `, _day, _until, _day, _year]), "month": 1, "day": 3, "year": 4},
	{"form": concat("", [`\b`, _day, _until, _day, ` (?:of )?`, _month, _year]), "month": 3, "day": 1, "year": 4},
]

# METADATA
# title: The dates in the request
# description: Objects of `month`, `day` and, where the person gave it, `year`. Weekdays and words like "tomorrow" are none.
dates contains date if {
	some written in _dates_written
	some found in regex.find_all_string_submatch_n(written.form, plain, -1)
	year := {"year": to_number(digits) | digits := found[written.year]; digits != ""}
	day := {"month": _months[substring(found[written.month], 0, 3)], "day": to_number(found[written.day])}
	date := object.union(day, year)
}

dates contains _date_of(found) if some found in regex.find_n(`\b\d{4}-\d{2}-\d{2}\b`, plain, -1)

_date_of(text) := {"year": to_number(parts[1]), "month": _number(parts[2]), "day": _number(parts[3])} if {
	is_string(text)
	parts := regex.find_all_string_submatch_n(`^(\d{4})-(\d{2})-(\d{2})(?:[T ]|$)`, text, 1)[0]
}

_number(digits) := to_number(trimmed) if {
	trimmed := trim_left(digits, "0")
	trimmed != ""
}

# METADATA
# title: Whether the request names the day of a time
# description: A time like `2031-05-20 10:00`. Where the person gave no year, any will do.
names_day(time) if {
	wanted := _date_of(time)
	some date in dates
	object.subset(wanted, date)
}

# METADATA
# title: Whether the day of a time is none that the person did not mean
# description: A day that the request names, or any where it names none and the agent has to find it.
day_fits(time) if names_day(time)

day_fits(time) if {
	_date_of(time)
	words != set()
	count(dates) == 0
}

# METADATA
# title: Whether the person asks for all of something
# description: "`noun` is a regular expression for its singular: all (of) the pages, every new page, each page."
asks_for_every(noun) if {
	determiner := `(?: of)?(?: the| my| our| their| these| those)?(?: \pL+)?`
	every_one := sprintf(`\b(?:all|each|every|both)%s (?:%s)s?\b`, [determiner, noun])
	regex.match(every_one, plain)
}

# METADATA
# title: Whether the request uses a word
# description: "`word` is a regular expression for the whole of it."
speaks_of(word) if regex.match(sprintf(`\b(?:%s)\b`, [word]), plain)

# METADATA
# title: Whether the person hands over a list of tasks that is written elsewhere
# description: |
#   "Do all the tasks on my list at ...". Tasks that follow in the request itself are not handed over: they are stated.
hands_over if {
	some phrase in regex.find_n(concat(`(?: \pL+){0,3} `, [_carrying_out, _listed]), plain, -1)
	not contains(phrase, "following")
}

_carrying_out := `\b(?:do|follow|complete|carry out|work through|execute|perform)`

_listed := `(?:tasks?|actions?|instructions?|steps?|to-?dos?)\b`

# METADATA
# title: What the agent did with some tools since the person asked
# description: Calls that are known to have had no effect do not count. Undefined without a history.
done(tools) := [action |
	some action in input.history.actions
	action.tool in tools
	not _came_to_nothing(action)
] if is_array(input.history.actions)

_came_to_nothing(action) if action.outcome in {"failure", "not_attempted"}

# METADATA
# title: Whether it is the first call of a tool since the person asked
# description: For what the agent found by itself; without a history nothing is the first.
is_first if count(done({input.action.tool})) == 0

# METADATA
# title: A person sends an agent
# description: There is no chain yet, so that nobody but the person can be asking.
is_sent if {
	input.action.operation == "delegate"
	count(input.delegation.chain) == 0
	input.delegation.root.subject
}
