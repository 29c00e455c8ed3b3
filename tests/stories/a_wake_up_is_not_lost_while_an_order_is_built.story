# A take of the least finds nothing when the build is done, and waits; a tuple that came
# while it was built is taken, and one that comes behind it wakes it.
> slices
> open a
> open b
> open c
> b [1, "outs", "main", [["x", "a"], ["x", "b"], ["x", "c"]]]
+ put 2 ["x", "a"]
+ put 3 ["x", "b"]
+ put 4 ["x", "c"]
b = [1, 0, [2, 3, 4]]
> commit
b < [1, 0, [2, 3, 4]]
> a [1, "in", "main", ["x", ?int min]]
a waits for work
> work 2
> c [1, "in", "main", ["x", ?int min]]
c waits for work
> b [2, "out", "main", ["x", 7]]
+ put 5 ["x", 7]
b = [2, 0, 5]
> work
+ delete 5
a = [1, 0, [[5, ["x", 7]]]]
> commit
b < [2, 0, 5]
a < [1, 0, [[5, ["x", 7]]]]
> b [3, "out", "main", ["x", 8]]
+ put 6 ["x", 8]
+ delete 6
c = [1, 0, [[6, ["x", 8]]]]
b = [3, 0, 6]
> commit
c < [1, 0, [[6, ["x", 8]]]]
b < [3, 0, 6]
> check
tuples 3 waiting 0 outcomes 2 sessions 0 taken 2 claims 0
