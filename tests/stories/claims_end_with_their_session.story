# Grace over: back, with the try counted. bye: back at once. cancel of a take that is
# not acknowledged: as if it had never been asked.
> open a
> open b
> b [1, "out", "main", ["x"]]
+ put 2 ["x"]
b = [1, 0, 2]
> a [1, "hello", {"session": "new", "grace": 1000}]
+ session session 3
a = hello: boot 1 grace 1000 session h'00010000000000000000000000000000'
> a [2, "in", "main", ["x"], {"lease": 60000}]
+ state 2 session 3 number 2 token 4 lease 60000 tries 1
a = [2, 0, [[2, ["x"], 4, 1]]]
> work
> a [0, "ack", 2]
+ state 2 session 3 token 4 lease 60000 tries 1
> commit
b < [1, 0, 2]
a < hello: boot 1 grace 1000 session h'00010000000000000000000000000000'
a < [2, 0, [[2, ["x"], 4, 1]]]
> close a
> pass 999ms
> check
tuples 1 waiting 0 outcomes 0 sessions 1 taken 0 claims 1
> pass 1ms
+ state 2 tries 1
+ session-end session 3
> commit
> check
tuples 1 waiting 0 outcomes 0 sessions 0 taken 0 claims 0
> open a
> a [1, "hello", {"session": "new"}]
+ session session 5
a = hello: boot 1 grace 60000 session h'00020000000000000000000000000000'
> a [2, "in", "main", ["x"], {"lease": 60000}]
+ state 2 session 5 number 2 token 6 lease 60000 tries 2
a = [2, 0, [[2, ["x"], 6, 2]]]
> commit
a < hello: boot 1 grace 60000 session h'00020000000000000000000000000000'
a < [2, 0, [[2, ["x"], 6, 2]]]
> a [3, "bye"]
+ state 2 session 5 token 6 lease 60000 tries 2
a = [3, 0, null]
+ state 2 tries 2
+ session-end session 5
> commit
a < [3, 0, null]
> check
tuples 1 waiting 0 outcomes 0 sessions 0 taken 0 claims 0
> a [4, "hello", {"session": "new"}]
a < [4, -2, "hello: comes first, and once"]
a closed
> b [2, "in", "main", ["x"], {"lease": 60000}]
+ state 2 tries 3
b = [2, 0, [[2, ["x"], 7, 3]]]
> b [3, "cancel", 2]
+ state 2 tries 2
b = [3, 0, true]
> b [4, "in", "main", ["x"], {"lease": 60000}]
+ state 2 tries 3
b = [4, 0, [[2, ["x"], 8, 3]]]
> commit
b < [2, 0, [[2, ["x"], 7, 3]]]
b < [3, 0, true]
b < [4, 0, [[2, ["x"], 8, 3]]]
