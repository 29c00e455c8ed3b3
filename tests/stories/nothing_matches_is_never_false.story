# inp and rdp say "nothing" only of an instant at which nothing matched: not while an index is
# built, not of a bucket that is half walked, not while a claim that is over is still to come back.
> slices
> open a
> open b
> open c
> b [1, "outs", "main", [["x", 1], ["x", 2], ["x", 3], ["y", 4]]]
+ put 2 ["x", 1]
+ put 3 ["x", 2]
+ put 4 ["x", 3]
+ put 5 ["y", 4]
b = [1, 0, [2, 3, 4, 5]]
> a [1, "in", "main", [?, 4], {"timeout": 0}]
a waits for work
> work 1
> b [2, "in", "main", ["x", 3], {"timeout": 0}]
b waits for work
> work
+ delete 5
a = [1, 0, [[5, ["y", 4]]]]
+ delete 4
b = [2, 0, [[4, ["x", 3]]]]
> a [2, "rd", "main", [?text, ?int>=2], {"timeout": 0}]
a waits for work
> work
a = [2, 0, [[3, ["x", 2]]]]
> b [3, "in", "main", null, {"max": 10, "lease": 1000}]
+ state 2 tries 1
+ state 3 tries 1
b = [3, 0, [[2, ["x", 1], 6, 1], [3, ["x", 2], 7, 1]]]
> c [1, "rd", "main", null, {"timeout": 0}]
c = [1, 0, []]
> late 1s c [2, "rd", "main", null, {"timeout": 0}]
c = [2, 0, [[2, ["x", 1]]]]
> work
> commit
b < [1, 0, [2, 3, 4, 5]]
a < [1, 0, [[5, ["y", 4]]]]
b < [2, 0, [[4, ["x", 3]]]]
a < [2, 0, [[3, ["x", 2]]]]
b < [3, 0, [[2, ["x", 1], 6, 1], [3, ["x", 2], 7, 1]]]
c < [1, 0, []]
c < [2, 0, [[2, ["x", 1]]]]
> check
tuples 2 waiting 0 outcomes 2 sessions 0 taken 2 claims 0
