> open a
> a [1, "hello", {"session": "new", "may": {"main": ["rd", "out"]}}]
+ session session 2
a = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> a [2, "out", "main", ["x"]]
+ put 3 ["x"]
+ outcome session 2 number 2 3
a = [2, 0, 3]
> a [3, "in", "main", ["x"]]
a < [3, -8, "in: this session may not do that on main"]
> a [4, "rd", "main", ["x"]]
a = [4, 0, [[3, ["x"]]]]
> a [5, "space", "create", "y"]
a < [5, -8, "space: this session may not do that on y"]
> a [6, "out", "y", ["x"]]
a < [6, -8, "out: this session may not do that on y"]
> commit
a < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
a < [2, 0, 3]
a < [4, 0, [[3, ["x"]]]]
> crash
+ ceiling number 2097154
> open a
> a [1, "hello", {"session": h'00010000000000000000000000000000', "have": [[2, 6]]}]
+ outcome-free session 2
a < hello: boot 2 grace 60000 session h'00010000000000000000000000000000'
> a [7, "in", "main", ["x"]]
a < [7, -8, "in: this session may not do that on main"]
