# The asker for the least waits for the end of the build, and what is claimed, comes back
# and is put meanwhile, below and above the builder's position, is seen in its place.
> slices
> open a
> open b
> b [1, "outs", "main", [["x", 4], ["x", 1], ["x", 3], ["x", 2], ["x", 5]]]
+ put 2 ["x", 4]
+ put 3 ["x", 1]
+ put 4 ["x", 3]
+ put 5 ["x", 2]
+ put 6 ["x", 5]
b = [1, 0, [2, 3, 4, 5, 6]]
> commit
b < [1, 0, [2, 3, 4, 5, 6]]
> a [1, "in", "main", ["x", ?int min], {"max": 3, "timeout": 0}]
a waits for work
> work 2
> b [2, "in", "main", null, {"lease": 1000, "max": 2}]
+ state 2 tries 1
+ state 3 tries 1
b = [2, 0, [[2, ["x", 4], 7, 1], [3, ["x", 1], 8, 1]]]
> work 1
> pass 2s
> b [3, "in", "main", null, {"lease": 5000}]
+ state 2 tries 2
b = [3, 0, [[2, ["x", 4], 9, 2]]]
> b [4, "out", "main", ["x", 0]]
+ put 10 ["x", 0]
b = [4, 0, 10]
> work
+ delete 10
+ delete 3 tries 1
+ delete 5
a = [1, 0, [[10, ["x", 0]], [3, ["x", 1]], [5, ["x", 2]]]]
> commit
b < [2, 0, [[2, ["x", 4], 7, 1], [3, ["x", 1], 8, 1]]]
b < [3, 0, [[2, ["x", 4], 9, 2]]]
b < [4, 0, 10]
a < [1, 0, [[10, ["x", 0]], [3, ["x", 1]], [5, ["x", 2]]]]
> a [2, "rd", "main", ["x", ?int max], {"max": 9}]
a < [2, 0, [[6, ["x", 5]], [4, ["x", 3]]]]
> pass 6s
> a [3, "rd", "main", ["x", ?int max], {"max": 9}]
a = [3, 0, [[6, ["x", 5]], [2, ["x", 4]], [4, ["x", 3]]]]
> commit
a < [3, 0, [[6, ["x", 5]], [2, ["x", 4]], [4, ["x", 3]]]]
> check
tuples 3 waiting 0 outcomes 1 sessions 0 taken 3 claims 0
