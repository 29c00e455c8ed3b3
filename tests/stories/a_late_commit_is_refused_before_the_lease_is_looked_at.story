# The clock decides, not who comes first: the lease is over, nothing has looked at it
# yet, and the commit lists every stale token and changes nothing.
> open a
> a [1, "hello", {"session": "new"}]
+ session session 2
a = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> a [2, "outs", "main", [["x", 1], ["x", 2], ["x", 3]]]
+ put 3 ["x", 1]
+ put 4 ["x", 2]
+ put 5 ["x", 3]
+ outcome session 2 number 2 [3, 4, 5]
a = [2, 0, [3, 4, 5]]
> a [3, "in", "main", ["x", 1], {"lease": 500}]
+ state 3 session 2 number 3 token 6 lease 500 tries 1
a = [3, 0, [[3, ["x", 1], 6, 1]]]
> work
> a [4, "in", "main", ["x", 2], {"lease": 5000}]
+ state 4 session 2 number 4 token 7 lease 5000 tries 1
a = [4, 0, [[4, ["x", 2], 7, 1]]]
> work
> commit
a < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
a < [2, 0, [3, 4, 5]]
a < [3, 0, [[3, ["x", 1], 6, 1]]]
a < [4, 0, [[4, ["x", 2], 7, 1]]]
> late 700ms a [5, "commit", {"done": [7, 6, 99], "out": [["main", ["y"]]]}]
+ state 3 tries 1
a = [5, -12, "commit: 2 claims are over", [6, 99]]
> a [6, "commit", {"done": [7, 7]}]
a < [6, -2, "commit: the token 7 stands there twice"]
> a [7, "commit", {"done": [7], "out": [["main", ["y"]], ["main", ["z"]]]}]
+ delete 4
+ put 8 ["y"]
+ put 9 ["z"]
+ outcome session 2 number 7 [8, 9]
a = [7, 0, [8, 9]]
> a [8, "rd", "main", null, {"max": 10}]
a = [8, 0, [[3, ["x", 1]], [5, ["x", 3]], [8, ["y"]], [9, ["z"]]]]
> commit
a < [5, -12, "commit: 2 claims are over", [6, 99]]
a < [7, 0, [8, 9]]
a < [8, 0, [[3, ["x", 1]], [5, ["x", 3]], [8, ["y"]], [9, ["z"]]]]
> check
tuples 4 waiting 0 outcomes 2 sessions 1 taken 0 claims 0
