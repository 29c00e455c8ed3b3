# What was claimed and comes back, given back or over with its lease, stands where it stood:
# takes of others see the old order, in every index.
> open a
> open b
> a [1, "outs", "main", [["x", 1], ["x", 2], ["x", 3], ["x", 4]]]
+ put 2 ["x", 1]
+ put 3 ["x", 2]
+ put 4 ["x", 3]
+ put 5 ["x", 4]
a = [1, 0, [2, 3, 4, 5]]
> a [2, "in", "main", ["x", ?int], {"lease": 1000}]
+ state 2 tries 1
a = [2, 0, [[2, ["x", 1], 6, 1]]]
> a [3, "in", "main", ["x", ?int], {"lease": 1000}]
+ state 3 tries 1
a = [3, 0, [[3, ["x", 2], 7, 1]]]
> commit
a < [1, 0, [2, 3, 4, 5]]
a < [2, 0, [[2, ["x", 1], 6, 1]]]
a < [3, 0, [[3, ["x", 2], 7, 1]]]
> b [1, "rd", "main", null, {"max": 9}]
b < [1, 0, [[4, ["x", 3]], [5, ["x", 4]]]]
> a [4, "commit", {"back": [[7, 0]]}]
a = [4, 0, []]
> commit
a < [4, 0, []]
> b [2, "rd", "main", null, {"max": 9}]
b < [2, 0, [[3, ["x", 2]], [4, ["x", 3]], [5, ["x", 4]]]]
> b [3, "rd", "main", [?, ?int], {"max": 9}]
b < [3, 0, [[3, ["x", 2]], [4, ["x", 3]], [5, ["x", 4]]]]
> pass 1s
> commit
> b [4, "rd", "main", ["x", ?], {"max": 9}]
b < [4, 0, [[2, ["x", 1]], [3, ["x", 2]], [4, ["x", 3]], [5, ["x", 4]]]]
> b [5, "in", "main", ["x", ?int], {"max": 2}]
+ delete 2 tries 1
+ delete 3 tries 1
b = [5, 0, [[2, ["x", 1]], [3, ["x", 2]]]]
> commit
b < [5, 0, [[2, ["x", 1]], [3, ["x", 2]]]]
> check
tuples 2 waiting 0 outcomes 1 sessions 0 taken 2 claims 0
