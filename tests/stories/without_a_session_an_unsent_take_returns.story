# ... to its old place, in front of the younger one; a sent one is final.
> open a
> open b
> b [1, "out", "main", ["x", 1]]
+ put 2 ["x", 1]
b = [1, 0, 2]
> b [2, "out", "main", ["x", 2]]
+ put 3 ["x", 2]
b = [2, 0, 3]
> a [1, "in", "main", ["x", ?]]
+ delete 2
a = [1, 0, [[2, ["x", 1]]]]
> work
> a [2, "in", "main", ["x", ?]]
+ delete 3
a = [2, 0, [[3, ["x", 2]]]]
> commit
b < [1, 0, 2]
b < [2, 0, 3]
a < [1, 0, [[2, ["x", 1]]]]
a < [2, 0, [[3, ["x", 2]]]]
> a sent 2
> close a
+ put 2 ["x", 1]
> commit
> b [3, "rd", "main", ["x", ?], {"max": 10}]
b < [3, 0, [[2, ["x", 1]]]]
> crash
+ ceiling number 2097154
> open b
> b [1, "rd", "main", null, {"max": 10}]
b < [1, 0, [[2, ["x", 1]]]]
