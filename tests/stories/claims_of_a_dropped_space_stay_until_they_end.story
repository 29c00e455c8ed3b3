# Their tuples go then, and the space with the last.
> open a
> a [1, "hello", {"session": "new"}]
+ session session 2
a = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> a [2, "space", "create", "s"]
+ space 3 s
+ outcome session 2 number 2 null
a = [2, 0, null]
> a [3, "outs", "s", [["x", 1], ["x", 2], ["x", 3]]]
+ put 4 ["x", 1]
+ put 5 ["x", 2]
+ put 6 ["x", 3]
+ outcome session 2 number 3 [4, 5, 6]
a = [3, 0, [4, 5, 6]]
> a [4, "in", "s", null, {"lease": 60000, "max": 2}]
+ state 4 session 2 number 4 token 7 lease 60000 tries 1
+ state 5 session 2 number 4 token 8 lease 60000 tries 1
a = [4, 0, [[4, ["x", 1], 7, 1], [5, ["x", 2], 8, 1]]]
> commit
a < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
a < [2, 0, null]
a < [3, 0, [4, 5, 6]]
a < [4, 0, [[4, ["x", 1], 7, 1], [5, ["x", 2], 8, 1]]]
> a [5, "space", "drop", "s"]
+ space-drop
+ outcome session 2 number 5 null
a = [5, 0, null]
+ delete 6
> check
tuples 2 waiting 0 outcomes 4 sessions 1 taken 0 claims 2
> a [6, "commit", {"back": [[8, 0]]}]
+ delete 5
+ outcome session 2 number 6 []
a = [6, 0, []]
> a [7, "commit", {"done": [7]}]
+ delete 4
+ outcome session 2 number 7 []
a = [7, 0, []]
+ space-end
> commit
a < [5, 0, null]
a < [6, 0, []]
a < [7, 0, []]
> check
tuples 0 waiting 0 outcomes 5 sessions 1 taken 0 claims 0
