# Long types are shown as far as they differ.
package p

left := {
	"first": [1, 2, 3, 4],
	"second": {"alpha": "a", "beta": "b", "gamma": "c"},
	"third": {"alpha": "a", "beta": "b", "gamma": {"delta": "d"}},
}

right := {
	"first": [1, 2, 3, 4],
	"second": {"alpha": "a", "beta": "b", "gamma": "c"},
	"third": {"alpha": "a", "beta": 1, "gamma": {"delta": 1}},
	"fourth": true,
}

a if left == right

b if object.union(left, [right])

c if [left, 1] == [right, "a"]

#! rego_type_error 17:6 match error
#!   left  : object<third: object<beta: string, gamma: object<delta: string>, ...>, ...>
#!   right : object<fourth: boolean, third: object<beta: number, gamma: object<delta: number>, ...>, ...>
#! hint: both sides are objects but their types differ, so they can never be equal
#! rego_type_error 19:6 object.union: invalid argument(s)
#!   have: (object<...>, array<...>)
#!   want: (a: object[any: any], b: object[any: any], output: object[any: any])
#! rego_type_error 21:6 match error
#!   left  : array<object<third: object<beta: string, gamma: object<delta: string>, ...>, ...>, number>
#!   right : array<object<fourth: boolean, third: object<beta: number, gamma: object<delta: number>, ...>, ...>, string>
#! hint: both sides are arrays but their types differ, so they can never be equal
