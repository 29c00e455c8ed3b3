# Beside min stands what no index says: the matches are looked for in the order that is
# wanted, in slices. What comes or goes where the walk has been is seen.
> slices
> open a
> open b
> b [1, "outs", "main", [["x", 4, "no"], ["x", 1, "no"], ["x", 3, "yes"], ["x", 2, "no"], ["x", 5, "yes"]]]
+ put 2 ["x", 4, "no"]
+ put 3 ["x", 1, "no"]
+ put 4 ["x", 3, "yes"]
+ put 5 ["x", 2, "no"]
+ put 6 ["x", 5, "yes"]
b = [1, 0, [2, 3, 4, 5, 6]]
> commit
b < [1, 0, [2, 3, 4, 5, 6]]
> a [1, "in", "main", ["x", ?int min, ?text^"y"], {"timeout": 0}]
a waits for work
> work
+ delete 4
a = [1, 0, [[4, ["x", 3, "yes"]]]]
> commit
a < [1, 0, [[4, ["x", 3, "yes"]]]]
> a [2, "in", "main", ["x", ?int min, ?text^"y"], {"timeout": 0}]
a waits for work
> work 2
> b [2, "out", "main", ["x", 0, "yes"]]
+ put 7 ["x", 0, "yes"]
b = [2, 0, 7]
> b [3, "out", "main", ["x", 6, "yes"]]
+ put 8 ["x", 6, "yes"]
b = [3, 0, 8]
> work
+ delete 7
a = [2, 0, [[7, ["x", 0, "yes"]]]]
> commit
b < [2, 0, 7]
b < [3, 0, 8]
a < [2, 0, [[7, ["x", 0, "yes"]]]]
> a [3, "in", "main", ["x", ?int min, ?text^"y"], {"timeout": 0, "max": 2}]
a waits for work
> work 3
> work
+ delete 6
+ delete 8
a = [3, 0, [[6, ["x", 5, "yes"]], [8, ["x", 6, "yes"]]]]
> commit
a < [3, 0, [[6, ["x", 5, "yes"]], [8, ["x", 6, "yes"]]]]
> check
tuples 3 waiting 0 outcomes 3 sessions 0 taken 4 claims 0
