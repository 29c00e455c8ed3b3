# At bye, when the grace is over, and when a connection without a session closes. Those that
# somebody else has stay with him, and do not come back.
> open a
> open b
> open c
> a [1, "hello", {"session": "new"}]
+ session session 2
a = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> b [1, "hello", {"session": "new", "grace": 10000}]
+ session session 3
b = hello: boot 1 grace 10000 session h'00020000000000000000000000000000'
> a [2, "out", "main", ["a", 1], {"bound": true}]
+ put 4 bound 2 ["a", 1]
+ outcome session 2 number 2 4
a = [2, 0, 4]
> a [3, "out", "main", ["a", 2], {"bound": true, "delay": 60000}]
+ put 5 due +60000 bound 2 ["a", 2]
+ outcome session 2 number 3 5
a = [3, 0, 5]
> a [4, "outs", "main", [["a", 3], ["a", 4]], {"bound": true, "ttl": 60000}]
+ put 6 expires +60000 bound 2 ["a", 3]
+ put 7 expires +60000 bound 2 ["a", 4]
+ outcome session 2 number 4 [6, 7]
a = [4, 0, [6, 7]]
> a [5, "in", "main", ["a", 3], {"lease": 1000}]
+ state 6 session 2 number 5 token 8 lease 1000 tries 1
a = [5, 0, [[6, ["a", 3], 8, 1]]]
> a [6, "commit", {"out": [["main", ["a", 5], {"bound": true}], ["main", ["a", 6], {"bound": false}]]}]
+ put 9 bound 2 ["a", 5]
+ put 10 ["a", 6]
+ outcome session 2 number 6 [9, 10]
a = [6, 0, [9, 10]]
> b [2, "out", "main", ["b", 1], {"bound": true}]
+ put 11 bound 3 ["b", 1]
+ outcome session 3 number 2 11
b = [2, 0, 11]
> b [3, "in", "main", ["a", 4], {"lease": 20000}]
+ state 7 session 3 number 3 token 12 lease 20000 tries 1
b = [3, 0, [[7, ["a", 4], 12, 1]]]
> c [1, "out", "main", ["c"], {"bound": true}]
+ put 13 bound 1 ["c"]
c = [1, 0, 13]
> b [4, "in", "main", ["c"]]
+ state 13 session 3 number 4
b = [4, 0, [[13, ["c"]]]]
> commit
a < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
b < hello: boot 1 grace 10000 session h'00020000000000000000000000000000'
a < [2, 0, 4]
a < [3, 0, 5]
a < [4, 0, [6, 7]]
a < [5, 0, [[6, ["a", 3], 8, 1]]]
a < [6, 0, [9, 10]]
b < [2, 0, 11]
b < [3, 0, [[7, ["a", 4], 12, 1]]]
c < [1, 0, 13]
b < [4, 0, [[13, ["c"]]]]
> check
tuples 7 waiting 0 outcomes 8 sessions 2 taken 1 claims 2
# The bye takes the bound ones, its own claim of one included.
> a [7, "bye"]
+ state 6 session 2 token 8 lease 1000 tries 1
+ outcome-free session 2
a = [7, 0, null]
+ delete 4
+ delete 5
+ delete 9
+ delete 6
+ session-end session 2
> commit
a < [7, 0, null]
> check
tuples 3 waiting 0 outcomes 3 sessions 1 taken 1 claims 1
# What b has claimed stays claimed, and is gone with the lease.
> pass 20s
+ delete 7
> commit
> check
tuples 2 waiting 0 outcomes 2 sessions 1 taken 1 claims 0
> close c
> b [5, "cancel", 4]
+ delete 13
b = [5, 0, true]
> commit
b < [5, 0, true]
> check
tuples 2 waiting 0 outcomes 1 sessions 1 taken 0 claims 0
> close b
> pass 9s
> check
tuples 2 waiting 0 outcomes 1 sessions 1 taken 0 claims 0
> pass 1s
+ delete 11
+ session-end session 3
> commit
> check
tuples 1 waiting 0 outcomes 0 sessions 0 taken 0 claims 0
