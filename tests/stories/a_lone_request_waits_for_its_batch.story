# Durable, then visible: the reply leaves when its batch is durable; so does what
# another read of it. A read of an idle space waits for nothing.
> open a
> open b
> a [1, "out", "main", ["x"]]
+ put 2 ["x"]
a = [1, 0, 2]
> b [1, "rd", "main", ["x"]]
b = [1, 0, [[2, ["x"]]]]
> b [2, "in", "main", ["y"], {"timeout": 0}]
b = [2, 0, []]
> seal
> b [3, "rd", "main", ["x"]]
b = [3, 0, [[2, ["x"]]]]
> sync
a < [1, 0, 2]
b < [1, 0, [[2, ["x"]]]]
b < [2, 0, []]
b < [3, 0, [[2, ["x"]]]]
> b [4, "rd", "main", ["x"]]
b < [4, 0, [[2, ["x"]]]]
> b [5, "count", "main", ["x"]]
b < [5, 0, 1]
