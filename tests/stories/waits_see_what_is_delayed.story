# A delayed job exists: a drain waits for it, and for one that is given back with a delay; it ends
# when the last is done, or its ttl is over.
> open a
> open b
> a [1, "space", "create", "s", {"volatile": true}]
+ space 2 s volatile
a = [1, 0, null]
> commit
a < [1, 0, null]
> a [2, "outs", "s", [["job", 1]], {"delay": 1000}]
a < [2, 0, [3]]
> b [1, "in", "s", ["job", 21580("int")], {"drain": true, "lease": 60000}]
> a [3, "wait", "s", ["job", 21580("int")], ["eq", 0]]
> a [4, "wait", "s", ["job", 21580("int")], ["ge", 1], {"hidden": false}]
> a [5, "out", "s", ["job", 2], {"unless": ["job", 1]}]
a < [5, 0, null]
> check
tuples 1 waiting 3 outcomes 0 sessions 0 taken 0 claims 0
> pass 999ms
> pass 1ms
b < [1, 0, [[3, ["job", 1], 4, 1]]]
> check
tuples 1 waiting 2 outcomes 1 sessions 0 taken 0 claims 1
> b [2, "commit", {"back": [[4, 500]]}]
b < [2, 0, []]
> b [3, "in", "s", ["job", 21580("int")], {"drain": true, "lease": 60000}]
> check
tuples 1 waiting 3 outcomes 0 sessions 0 taken 0 claims 0
> pass 500ms
b < [3, 0, [[3, ["job", 1], 5, 2]]]
> check
tuples 1 waiting 2 outcomes 1 sessions 0 taken 0 claims 1
> b [4, "commit", {"done": [5]}]
b < [4, 0, []]
a < [3, 0, 0]
> check
tuples 0 waiting 1 outcomes 0 sessions 0 taken 0 claims 0
# The last one's ttl ends the wait, in its hiding place or not.
> a [6, "out", "s", ["job", 3], {"ttl": 300}]
a < [6, 0, 6]
a < [4, 0, 1]
> a [7, "out", "s", ["job", 4], {"ttl": 400, "delay": 1000}]
a < [7, 0, 7]
> a [8, "wait", "s", ["job", 21580("int")], ["eq", 0]]
> a [9, "atomic", [["no", "s", ["job", 21580("int")]], ["out", "s", ["all over"]]]]
> a [10, "atomic", [["no", "s", ["job", 21580("int")], {"hidden": false}], ["out", "s", ["none to be seen"]]]]
> pass 300ms
a < [10, 0, [[null], [8]]]
> check
tuples 2 waiting 2 outcomes 0 sessions 0 taken 0 claims 0
> pass 100ms
a < [8, 0, 0]
a < [9, 0, [[null], [9]]]
> check
tuples 2 waiting 0 outcomes 0 sessions 0 taken 0 claims 0
