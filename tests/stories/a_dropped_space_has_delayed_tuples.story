# They go with it, in slices; a claim stays until it ends, given back with a delay or not.
> open a
> a [1, "hello", {"session": "new"}]
+ session session 2
a = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> a [2, "space", "create", "s"]
+ space 3 s
+ outcome session 2 number 2 null
a = [2, 0, null]
> a [3, "outs", "s", [["x", 1], ["x", 2]], {"delay": 60000}]
+ put 4 due +60000 ["x", 1]
+ put 5 due +60000 ["x", 2]
+ outcome session 2 number 3 [4, 5]
a = [3, 0, [4, 5]]
> a [4, "outs", "s", [["y", 1], ["y", 2]], {"ttl": 60000}]
+ put 6 expires +60000 ["y", 1]
+ put 7 expires +60000 ["y", 2]
+ outcome session 2 number 4 [6, 7]
a = [4, 0, [6, 7]]
> a [5, "in", "s", ["y", 1], {"lease": 30000}]
+ state 6 session 2 number 5 token 8 lease 30000 tries 1
a = [5, 0, [[6, ["y", 1], 8, 1]]]
> commit
a < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
a < [2, 0, null]
a < [3, 0, [4, 5]]
a < [4, 0, [6, 7]]
a < [5, 0, [[6, ["y", 1], 8, 1]]]
> slices
> a [6, "space", "drop", "s"]
+ space-drop
+ outcome session 2 number 6 null
a = [6, 0, null]
> work 2
> work 2
+ delete 7
> work
+ delete 4
+ delete 5
> check
tuples 1 waiting 0 outcomes 5 sessions 1 taken 0 claims 1
> a [7, "commit", {"back": [[8, 1000]]}]
+ delete 6
+ outcome session 2 number 7 []
a = [7, 0, []]
> work
+ space-end
> commit
a < [6, 0, null]
a < [7, 0, []]
> check
tuples 0 waiting 0 outcomes 5 sessions 1 taken 0 claims 0
