# A search takes its time: what appears behind it, ahead of it, or when it is just over is found.
> slices
> open a
> open b
> open c
> b [1, "outs", "main", [["x", 1], ["x", 2], ["x", 3], ["x", 4]]]
+ put 2 ["x", 1]
+ put 3 ["x", 2]
+ put 4 ["x", 3]
+ put 5 ["x", 4]
b = [1, 0, [2, 3, 4, 5]]
> b [2, "rd", "main", ["x", ?int]]
b waits for work
> work
b = [2, 0, [[2, ["x", 1]]]]
> a [1, "in", "main", ["x", ?int>=10]]
a waits for work
> work 2
> b [3, "out", "main", ["x", 10]]
+ put 6 ["x", 10]
b = [3, 0, 6]
> work
+ delete 6
a = [1, 0, [[6, ["x", 10]]]]
> c [1, "in", "main", ["x", ?int>=20]]
c waits for work
> work
> b [4, "out", "main", ["x", 20]]
+ put 7 ["x", 20]
+ delete 7
c = [1, 0, [[7, ["x", 20]]]]
b = [4, 0, 7]
> commit
b < [1, 0, [2, 3, 4, 5]]
b < [2, 0, [[2, ["x", 1]]]]
b < [3, 0, 6]
a < [1, 0, [[6, ["x", 10]]]]
c < [1, 0, [[7, ["x", 20]]]]
b < [4, 0, 7]
> check
tuples 4 waiting 0 outcomes 2 sessions 0 taken 2 claims 0
