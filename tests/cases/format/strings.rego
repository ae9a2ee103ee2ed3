# in
package agents.strings
escaped := "tab\tquote\" \u00e9"
raw := `C:\temp\{x}`
lines := `first
  second`
template := $"agent {input.agent.name} asked for {count(input.tools)+1} tools"
constants := $"{"a"}-{1}-{true}-\{x}"
raw_template := $`path\to\{{ input.dir }`
keys := x["name"]["two words"].if["in"]
# out
package agents.strings

escaped := "tab\tquote\" \u00e9"
raw := `C:\temp\{x}`
lines := `first
  second`

template := $"agent {input.agent.name} asked for {count(input.tools) + 1} tools"
constants := $"a-1-true-\{x}"
raw_template := $`path\to\{{input.dir}`
keys := x.name["two words"].if["in"]
