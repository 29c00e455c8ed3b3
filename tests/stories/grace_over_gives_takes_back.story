# Its unacknowledged takes return to their places, with one try more; waiters are served.
> open a
> open b
> b [1, "outs", "main", [["x", 1], ["x", 2]]]
+ put 2 ["x", 1]
+ put 3 ["x", 2]
b = [1, 0, [2, 3]]
> a [1, "hello", {"session": "new", "grace": 5000}]
+ session session 4
a = hello: boot 1 grace 5000 session h'00010000000000000000000000000000'
> a [2, "in", "main", ["x", ?int]]
+ state 2 session 4 number 2
a = [2, 0, [[2, ["x", 1]]]]
> work
> commit
b < [1, 0, [2, 3]]
a < hello: boot 1 grace 5000 session h'00010000000000000000000000000000'
a < [2, 0, [[2, ["x", 1]]]]
> b [2, "in", "main", ["x", 1]]
> close a
> pass 4999ms
> check
tuples 1 waiting 1 outcomes 1 sessions 1 taken 1 claims 0
> pass 600ms
+ state 2 tries 1
+ delete 2 tries 1
b = [2, 0, [[2, ["x", 1]]]]
+ session-end session 4
> commit
b < [2, 0, [[2, ["x", 1]]]]
> b sent 2
> b [3, "rd", "main", null, {"max": 10}]
b < [3, 0, [[3, ["x", 2]]]]
> check
tuples 1 waiting 0 outcomes 0 sessions 0 taken 0 claims 0
