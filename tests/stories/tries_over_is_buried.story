# The second claim that ends undone is the last: the tuple keeps its id in s.dead, which
# is made then, serves who waits there, and stays over a crash.
> open a
> open b
> a [1, "hello", {"session": "new"}]
+ session session 2
a = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> a [2, "space", "create", "s", {"tries": 2}]
+ space tries 2 3 s
+ outcome session 2 number 2 null
a = [2, 0, null]
> a [3, "outs", "s", [["x", 1], ["x", 2]]]
+ put 4 ["x", 1]
+ put 5 ["x", 2]
+ outcome session 2 number 3 [4, 5]
a = [3, 0, [4, 5]]
> a [4, "in", "s", ["x", 1], {"lease": 1000}]
+ state 4 session 2 number 4 token 6 lease 1000 tries 1
a = [4, 0, [[4, ["x", 1], 6, 1]]]
> work
> commit
a < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
a < [2, 0, null]
a < [3, 0, [4, 5]]
a < [4, 0, [[4, ["x", 1], 6, 1]]]
> pass 1s
+ state 4 tries 1
> a [5, "in", "s", ["x", 1], {"lease": 1000}]
+ state 4 session 2 number 5 token 7 lease 1000 tries 2
a = [5, 0, [[4, ["x", 1], 7, 2]]]
> commit
a < [5, 0, [[4, ["x", 1], 7, 2]]]
> pass 1s
+ space 8 s.dead
+ delete 4
+ put 4 tries 2 ["x", 1]
> commit
> a [6, "rd", "s", null, {"max": 10}]
a < [6, 0, [[5, ["x", 2]]]]
> a [7, "rd", "s.dead", null, {"max": 10}]
a < [7, 0, [[4, ["x", 1]]]]
> crash
+ ceiling number 2097154
> open a
> a [1, "in", "s", ["x", 2], {"lease": 1000}]
+ state 5 tries 1
a = [1, 0, [[5, ["x", 2], 1048578, 1]]]
> work
> a [2, "commit", {"back": [[1048578, 0]]}]
a = [2, 0, []]
> a [3, "in", "s", ["x", 2], {"lease": 1000}]
+ state 5 tries 2
a = [3, 0, [[5, ["x", 2], 1048579, 2]]]
> open b
> b [1, "in", "s.dead", ["x", 2]]
> work
> close a
+ delete 5
+ put 5 tries 2 ["x", 2]
+ delete 5 tries 2
b = [1, 0, [[5, ["x", 2]]]]
> b [2, "rd", "s.dead", null, {"max": 10}]
b = [2, 0, [[4, ["x", 1]]]]
> commit
b < [1, 0, [[5, ["x", 2]]]]
b < [2, 0, [[4, ["x", 1]]]]
> check
tuples 1 waiting 0 outcomes 3 sessions 1 taken 1 claims 0
