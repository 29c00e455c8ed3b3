# For an hour of virtual time: what it took stays its own, and it can still say bye.
> open a
> a [1, "hello", {"session": "new", "grace": 1000}]
+ session session 2
a = hello: boot 1 grace 1000 session h'00010000000000000000000000000000'
> a [2, "out", "main", ["x"]]
+ put 3 ["x"]
+ outcome session 2 number 2 3
a = [2, 0, 3]
> a [3, "in", "main", ["x"]]
+ state 3 session 2 number 3
a = [3, 0, [[3, ["x"]]]]
> commit
a < hello: boot 1 grace 1000 session h'00010000000000000000000000000000'
a < [2, 0, 3]
a < [3, 0, [[3, ["x"]]]]
> pass 1h
> a [4, "in", "main", ["x"], {"timeout": 0}]
a < [4, 0, []]
> check
tuples 0 waiting 0 outcomes 2 sessions 1 taken 1 claims 0
> a [5, "bye"]
+ outcome-free session 2
+ delete 3
a = [5, 0, null]
+ session-end session 2
> commit
a < [5, 0, null]
> check
tuples 0 waiting 0 outcomes 0 sessions 0 taken 0 claims 0
