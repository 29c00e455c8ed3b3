# Taken is taken: the time of a tuple says nothing while somebody has it. Undone after it, it is gone.
> open a
> open b
> a [1, "hello", {"session": "new"}]
+ session session 2
a = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> a [2, "outs", "main", [["x", 1], ["x", 2], ["x", 3]], {"ttl": 10000}]
+ put 3 expires +10000 ["x", 1]
+ put 4 expires +10000 ["x", 2]
+ put 5 expires +10000 ["x", 3]
+ outcome session 2 number 2 [3, 4, 5]
a = [2, 0, [3, 4, 5]]
> a [3, "in", "main", ["x", 1]]
+ state 3 session 2 number 3
a = [3, 0, [[3, ["x", 1]]]]
> a [4, "in", "main", ["x", 2]]
+ state 4 session 2 number 4
a = [4, 0, [[4, ["x", 2]]]]
> b [1, "in", "main", ["x", 3]]
+ delete 5
b = [1, 0, [[5, ["x", 3]]]]
> commit
a < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
a < [2, 0, [3, 4, 5]]
a < [3, 0, [[3, ["x", 1]]]]
a < [4, 0, [[4, ["x", 2]]]]
b < [1, 0, [[5, ["x", 3]]]]
> pass 9s
> a [5, "cancel", 3]
+ state 3
a = [5, 0, true]
> a [6, "rd", "main", null, {"max": 10}]
a = [6, 0, [[3, ["x", 1]]]]
> commit
a < [5, 0, true]
a < [6, 0, [[3, ["x", 1]]]]
> pass 2s
+ delete 3
> commit
> a [7, "cancel", 4]
+ delete 4
a = [7, 0, true]
# Without a session the row went with the take; undone in time it comes back with what it had.
> close b
> commit
a < [7, 0, true]
> a [8, "count", "main", null]
a < [8, 0, 0]
> a [9, "out", "main", ["y"], {"ttl": 5000}]
+ put 6 expires +16000 ["y"]
+ outcome session 2 number 9 6
a = [9, 0, 6]
> open b
> b [1, "in", "main", ["y"]]
+ delete 6
b = [1, 0, [[6, ["y"]]]]
> commit
a < [9, 0, 6]
b < [1, 0, [[6, ["y"]]]]
> close b
+ put 6 expires +16000 ["y"]
> commit
> pass 6s
+ delete 6
> a [10, "count", "main", null]
a = [10, 0, 0]
> commit
a < [10, 0, 0]
> check
tuples 0 waiting 0 outcomes 2 sessions 1 taken 0 claims 0
