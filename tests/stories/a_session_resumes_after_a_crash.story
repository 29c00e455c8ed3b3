# What was durable is answered again, what was not is done, nothing twice.
> open a
> a [1, "hello", {"session": "new"}]
+ session session 2
a = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> a [2, "out", "main", ["x"]]
+ put 3 ["x"]
+ outcome session 2 number 2 3
a = [2, 0, 3]
> a [3, "out", "main", ["y"]]
+ put 4 ["y"]
+ outcome session 2 number 3 4
a = [3, 0, 4]
> a [4, "in", "main", ["x"]]
+ state 3 session 2 number 4
a = [4, 0, [[3, ["x"]]]]
> commit
a < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
a < [2, 0, 3]
a < [3, 0, 4]
a < [4, 0, [[3, ["x"]]]]
> a [5, "out", "main", ["z"]]
+ put 5 ["z"]
+ outcome session 2 number 5 5
a = [5, 0, 5]
> a [6, "in", "main", ["nothing"]]
> crash
+ ceiling number 2097154
> open a
> a [1, "hello", {"session": h'00010000000000000000000000000000', "have": [2]}]
a < hello: boot 2 grace 60000 session h'00010000000000000000000000000000'
> a [3, "out", "main", ["y"]]
a < [3, 0, 4]
> a [4, "in", "main", ["x"]]
a < [4, 0, [[3, ["x"]]]]
> a [5, "out", "main", ["z"]]
+ put 1048578 ["z"]
+ outcome session 2 number 5 1048578
a = [5, 0, 1048578]
> a [6, "in", "main", ["nothing"]]
> a [7, "rd", "main", null, {"max": 10}]
a = [7, 0, [[4, ["y"]], [1048578, ["z"]]]]
> commit
a < [5, 0, 1048578]
a < [7, 0, [[4, ["y"]], [1048578, ["z"]]]]
> a [0, "ack", [3, 5]]
+ outcome-free session 2
+ delete 3
+ outcome-free session 2
> commit
> check
tuples 2 waiting 1 outcomes 0 sessions 1 taken 0 claims 0
> crash
+ ceiling number 3145730
> check
tuples 2 waiting 0 outcomes 0 sessions 1 taken 0 claims 0
