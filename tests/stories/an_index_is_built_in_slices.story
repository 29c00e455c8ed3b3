# The asker waits for the end of the build, what it sends later waits behind it, and
# what changes meanwhile at or below the builder's position is seen.
> slices
> open a
> open b
> b [1, "outs", "main", [["x", 1], ["x", 2], ["x", 3], ["x", 4]]]
+ put 2 ["x", 1]
+ put 3 ["x", 2]
+ put 4 ["x", 3]
+ put 5 ["x", 4]
b = [1, 0, [2, 3, 4, 5]]
> a [1, "in", "main", [?, 2]]
a waits for work
> work 2
> b [2, "in", "main", null]
+ delete 2
b = [2, 0, [[2, ["x", 1]]]]
> work 2
+ delete 3
a = [1, 0, [[3, ["x", 2]]]]
> b [3, "out", "main", ["y", 2]]
+ put 6 ["y", 2]
b = [3, 0, 6]
> work
> a [2, "in", "main", [?, 2]]
+ delete 6
a = [2, 0, [[6, ["y", 2]]]]
> commit
b < [1, 0, [2, 3, 4, 5]]
b < [2, 0, [[2, ["x", 1]]]]
a < [1, 0, [[3, ["x", 2]]]]
b < [3, 0, 6]
a < [2, 0, [[6, ["y", 2]]]]
> check
tuples 2 waiting 0 outcomes 3 sessions 0 taken 3 claims 0

