# tilia renew does: a lease is of no use beyond its session. Over a crash too.
> open a
> a [1, "hello", {"session": "new", "grace": 1000}]
+ session session 2
a = hello: boot 1 grace 1000 session h'00010000000000000000000000000000'
> a [2, "out", "main", ["x"]]
+ put 3 ["x"]
+ outcome session 2 number 2 3
a = [2, 0, 3]
> a [3, "in", "main", ["x"], {"lease": 60000}]
+ state 3 session 2 number 3 token 4 lease 60000 tries 1
a = [3, 0, [[3, ["x"], 4, 1]]]
> work
> commit
a < hello: boot 1 grace 1000 session h'00010000000000000000000000000000'
a < [2, 0, 3]
a < [3, 0, [[3, ["x"], 4, 1]]]
> close a
> open a
> a [1, "hello", {"session": h'00010000000000000000000000000000', "have": [[2, 3]], "grace": 5000}]
+ outcome-free session 2
+ state 3 session 2 token 4 lease 60000 tries 1
+ session session 2
a = hello: boot 1 grace 5000 session h'00010000000000000000000000000000'
> commit
a < hello: boot 1 grace 5000 session h'00010000000000000000000000000000'
> close a
> crash
+ ceiling number 2097154
> pass 4s
> check
tuples 1 waiting 0 outcomes 0 sessions 1 taken 0 claims 1
> open a
> a [1, "hello", {"session": h'00010000000000000000000000000000', "have": [[2, 3]], "grace": 5000}]
a < hello: boot 2 grace 5000 session h'00010000000000000000000000000000'
> close a
> pass 5s
+ state 3 tries 1
+ session-end session 2
> commit
> check
tuples 1 waiting 0 outcomes 0 sessions 0 taken 0 claims 0
