# Its row stays as if nobody had taken it, so that a crash gives it back.
> open a
> open b
> a [1, "out", "main", ["x"]]
+ put 2 ["x"]
a = [1, 0, 2]
> a [2, "in", "main", ["x"], {"lease": 60000}]
+ state 2 tries 1
a = [2, 0, [[2, ["x"], 3, 1]]]
> work
> commit
a < [1, 0, 2]
a < [2, 0, [[2, ["x"], 3, 1]]]
> a sent 2
> check
tuples 1 waiting 0 outcomes 0 sessions 0 taken 0 claims 1
> b [1, "in", "main", ["x"]]
> close a
+ delete 2 tries 1
b = [1, 0, [[2, ["x"]]]]
> commit
b < [1, 0, [[2, ["x"]]]]
> b sent 1
> check
tuples 0 waiting 0 outcomes 0 sessions 0 taken 0 claims 0
> open a
> a [1, "out", "main", ["y"]]
+ put 4 ["y"]
a = [1, 0, 4]
> a [2, "in", "main", ["y"], {"lease": 60000}]
+ state 4 tries 1
a = [2, 0, [[4, ["y"], 5, 1]]]
> work
> commit
a < [1, 0, 4]
a < [2, 0, [[4, ["y"], 5, 1]]]
> crash
+ ceiling number 2097154
> open a
> a [1, "in", "main", ["y"], {"lease": 60000}]
+ state 4 tries 2
a = [1, 0, [[4, ["y"], 1048578, 2]]]
> work
> a [2, "commit", {"done": [1048578]}]
+ delete 4
a = [2, 0, []]
> commit
a < [1, 0, [[4, ["y"], 1048578, 2]]]
a < [2, 0, []]
> check
tuples 0 waiting 0 outcomes 0 sessions 0 taken 0 claims 0
