> open a
> a [1, "hello", {"session": "new"}]
+ session session 2
a = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> a [2, "in", "main", ["x"]]
> a [3, "cancel", 2]
a < [2, -13, "cancelled"]
a < [3, 0, true]
> a [4, "out", "main", ["x"]]
+ put 3 ["x"]
+ outcome session 2 number 4 3
a = [4, 0, 3]
> a [5, "in", "main", ["x"]]
+ state 3 session 2 number 5
a = [5, 0, [[3, ["x"]]]]
> a [6, "cancel", 5]
+ state 3
a = [6, 0, true]
> a [7, "cancel", 4]
a = [7, 0, false]
> a [8, "cancel", 100]
a = [8, 0, true]
> a [9, "rd", "main", ["x"]]
a = [9, 0, [[3, ["x"]]]]
> commit
a < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
a < [4, 0, 3]
a < [5, 0, [[3, ["x"]]]]
a < [6, 0, true]
a < [7, 0, false]
a < [8, 0, true]
a < [9, 0, [[3, ["x"]]]]
> a [10, "cancel", 9]
a < [10, 0, false]
> check
tuples 1 waiting 0 outcomes 1 sessions 1 taken 0 claims 0
