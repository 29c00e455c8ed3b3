# A request that waits for a number is cancelled, suspended, resumed and ended like
# one that waits for a tuple; its number is counted anew where it stands again.
> open a
> open b
> a [1, "hello", {"session": "new"}]
+ session session 2
a = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> a [2, "space", "create", "s", {"volatile": true}]
+ space 3 s volatile
+ outcome session 2 number 2 null
a = [2, 0, null]
> commit
a < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
a < [2, 0, null]
> a [3, "wait", "s", null, ["ge", 2]]
> a [4, "wait", "s", [21580({"type": "int", "ge": 3})], ["ge", 2]]
> a [5, "wait", "s", [21580("int")], ["ge", 9]]
> a [6, "cancel", 5]
a < [5, -13, "cancelled"]
a < [6, 0, true]
> b [1, "outs", "s", [[1], [7]]]
b < [1, 0, [4, 5]]
a < [3, 0, 2]
> check
tuples 2 waiting 1 outcomes 1 sessions 1 taken 0 claims 0
# Suspended with one to go; b takes and puts meanwhile.
> close a
> check
tuples 2 waiting 0 outcomes 1 sessions 1 taken 0 claims 0
> b [2, "outs", "s", [[8], [9], [2]]]
b < [2, 0, [6, 7, 8]]
> b [3, "in", "s", [9]]
b < [3, 0, [[7, [9]]]]
> open c
> c [1, "hello", {"session": h'00010000000000000000000000000000'}]
c < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> c [4, "wait", "s", [21580({"type": "int", "ge": 3})], ["ge", 2]]
c < [4, 0, 2]
> check
tuples 4 waiting 0 outcomes 2 sessions 1 taken 1 claims 0
# The space goes; the server stops.
> c [7, "wait", "s", [21580("int"), 1], ["ge", 1]]
> c [8, "wait", "s", null, ["ge", 99], {"hidden": false}]
> c [9, "wait", "main", ["x"], ["ge", 1]]
> c [10, "space", "drop", "s"]
+ space-drop
+ outcome session 2 number 10 null
c = [10, 0, null]
c < [8, -5, "the space was dropped"]
c < [7, -5, "the space was dropped"]
> check
tuples 0 waiting 1 outcomes 3 sessions 1 taken 1 claims 0
> b [4, "wait", "s", null, ["ge", 1]]
b < [4, -5, "wait: no such space: s"]
> b [5, "wait", "main", [1], ["gt", 1]]
b < [5, -2, "wait: no such condition: gt (ge, eq)"]
> b [6, "wait", "main", [1], ["eq", 1]]
b < [6, -2, "wait: eq is for 0 alone"]
> c [11, "bye"]
c < [9, -13, "the session said bye"]
+ outcome-free session 2
+ outcome-free session 2
c = [11, 0, null]
+ session-end session 2
> check
tuples 0 waiting 0 outcomes 1 sessions 0 taken 1 claims 0
