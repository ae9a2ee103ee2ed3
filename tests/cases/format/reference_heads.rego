# in
package agents
limits.search.daily:=20
limits["web fetch"].daily:=5
limits[tool].weekly:=n*7 if {n:=limits[tool].daily}
by_team.red contains "ann"
keyword.if.not["else"] := 1
# out
package agents

limits.search.daily := 20
limits["web fetch"].daily := 5
limits[tool].weekly := n * 7 if n := limits[tool].daily
by_team.red contains "ann"
keyword.if.not["else"] := 1
