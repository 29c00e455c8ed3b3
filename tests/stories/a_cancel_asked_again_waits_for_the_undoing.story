# A take was undone, and that is not on disk yet when its client resumes. What it is told of
# the take, sent again, makes it acknowledge it: so all of that waits for the batch.
> open a
> a [1, "hello", {"session": "new"}]
+ session session 2
a = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> a [2, "out", "main", ["x"]]
+ put 3 ["x"]
+ outcome session 2 number 2 3
a = [2, 0, 3]
> a [3, "in", "main", ["x"]]
+ state 3 session 2 number 3
a = [3, 0, [[3, ["x"]]]]
> commit
a < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
a < [2, 0, 3]
a < [3, 0, [[3, ["x"]]]]
> a [4, "cancel", 3]
+ state 3
a = [4, 0, true]
> open b
> b [1, "in", "main", ["x"]]
+ delete 3
b = [1, 0, [[3, ["x"]]]]
> close a
> open a
> a [1, "hello", {"session": h'00010000000000000000000000000000', "have": [2]}]
+ outcome-free session 2
a = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> a [3, "in", "main", ["x"], {"timeout": 0}]
a = [3, 0, []]
> a [4, "cancel", 3]
a = [4, 0, false]
> a [5, "in", "main", ["x"]]
> a [6, "cancel", 5]
a = [5, -13, "cancelled"]
a = [6, 0, true]
> crash
+ ceiling number 2097154
> open a
> a [1, "hello", {"session": h'00010000000000000000000000000000', "have": [2]}]
+ outcome-free session 2
a < hello: boot 2 grace 60000 session h'00010000000000000000000000000000'
> a [3, "in", "main", ["x"], {"timeout": 0}]
a < [3, 0, [[3, ["x"]]]]
> a [4, "cancel", 3]
+ state 3
a = [4, 0, true]
> commit
a < [4, 0, true]
> a [8, "rd", "main", null]
a < [8, 0, [[3, ["x"]]]]
> check
tuples 1 waiting 0 outcomes 0 sessions 1 taken 0 claims 0
