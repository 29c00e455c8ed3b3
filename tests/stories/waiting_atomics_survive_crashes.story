# A waiting atomic is not stored: sent again after a crash, it waits again, or is done then,
# once. What it did is answered over the next crash.
> open a
> open b
> a [1, "hello", {"session": "new"}]
+ session session 2
a = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> a [2, "out", "main", ["fork", 1]]
+ put 3 ["fork", 1]
+ outcome session 2 number 2 3
a = [2, 0, 3]
> a [3, "atomic", [["in", "main", ["fork", 1]], ["in", "main", ["fork", 2]], ["out", "main", ["eats", 21581([1, 1, 40])]]]]
> commit
a < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
a < [2, 0, 3]
> crash
+ ceiling number 2097154
> open a
> a [1, "hello", {"session": h'00010000000000000000000000000000', "have": [[1, 2]]}]
+ outcome-free session 2
a < hello: boot 2 grace 60000 session h'00010000000000000000000000000000'
> a [3, "atomic", [["in", "main", ["fork", 1]], ["in", "main", ["fork", 2]], ["out", "main", ["eats", 21581([1, 1, 40])]]]]
> check
tuples 1 waiting 1 outcomes 0 sessions 1 taken 0 claims 0
> open b
> b [1, "out", "main", ["fork", 2]]
+ put 1048578 ["fork", 2]
b = [1, 0, 1048578]
+ delete 3
+ delete 1048578
+ put 1048579 ["eats", 42]
+ outcome session 2 number 3 [[[3, ["fork", 1]], [1048578, ["fork", 2]]], [1048579]]
a = [3, 0, [[[3, ["fork", 1]], [1048578, ["fork", 2]]], [1048579]]]
> commit
b < [1, 0, 1048578]
a < [3, 0, [[[3, ["fork", 1]], [1048578, ["fork", 2]]], [1048579]]]
> crash
+ ceiling number 3145730
> open a
> a [1, "hello", {"session": h'00010000000000000000000000000000', "have": [[1, 2]]}]
a < hello: boot 3 grace 60000 session h'00010000000000000000000000000000'
> a [3, "atomic", [["in", "main", ["fork", 1]], ["in", "main", ["fork", 2]], ["out", "main", ["eats", 21581([1, 1, 40])]]]]
a < [3, 0, [[[3, ["fork", 1]], [1048578, ["fork", 2]]], [1048579]]]
> a [4, "rd", "main", null, {"max": 9}]
a < [4, 0, [[1048579, ["eats", 42]]]]
> check
tuples 1 waiting 0 outcomes 1 sessions 1 taken 0 claims 0
