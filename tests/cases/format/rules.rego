# in
package agents.rules
max_spend:=100
currency:="EUR"
default allow:=false
allow if input.agent.trusted
allow if {input.amount<max_spend; input.currency==currency}
allowed_tools contains "search" if true
allowed_tools contains tool if {
	some tool in input.tools}
tier["gold"]:=3 if input.vip
cost(tool,n):=n*2 if tool=="search"
cost(tool,
	n):=n if tool!="search"
level:="high" if {input.amount>1000}else:="medium" if {
	input.amount>100
	not input.vip } else:="low"
both if {input.a} {input.b; input.c}
constant if { true }
# out
package agents.rules

max_spend := 100
currency := "EUR"

default allow := false

allow if input.agent.trusted

allow if {
	input.amount < max_spend
	input.currency == currency
}

allowed_tools contains "search"
allowed_tools contains tool if {
	some tool in input.tools
}

tier["gold"] := 3 if input.vip
cost(tool, n) := n * 2 if tool == "search"
cost(
	tool,
	n,
) := n if tool != "search"

level := "high" if input.amount > 1000

else := "medium" if {
	input.amount > 100
	not input.vip
} else := "low"

both if input.a

both if {
	input.b
	input.c
}

constant := true
