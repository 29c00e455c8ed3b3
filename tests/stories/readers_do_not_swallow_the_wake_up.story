# All matching readers are served, then one taker, whoever came first.
> open a
> open b
> open c
> open d
> a [1, "rd", "main", ["x"]]
> b [1, "rd", "main", [?text]]
> c [1, "in", "main", ["x"]]
> d [1, "rd", "main", null]
> d [2, "out", "main", ["x"]]
+ put 2 ["x"]
d = [1, 0, [[2, ["x"]]]]
a = [1, 0, [[2, ["x"]]]]
b = [1, 0, [[2, ["x"]]]]
+ delete 2
c = [1, 0, [[2, ["x"]]]]
d = [2, 0, 2]
> commit
d < [1, 0, [[2, ["x"]]]]
a < [1, 0, [[2, ["x"]]]]
b < [1, 0, [[2, ["x"]]]]
c < [1, 0, [[2, ["x"]]]]
d < [2, 0, 2]
> check
tuples 0 waiting 0 outcomes 1 sessions 0 taken 1 claims 0
