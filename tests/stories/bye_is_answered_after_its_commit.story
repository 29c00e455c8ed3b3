# It acknowledges all: the take is final.
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
> a [4, "in", "main", ["y"]]
> a [5, "bye"]
a < [4, -13, "the session said bye"]
+ outcome-free session 2
+ delete 3
a = [5, 0, null]
+ session-end session 2
> commit
a < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
a < [2, 0, 3]
a < [3, 0, [[3, ["x"]]]]
a < [5, 0, null]
> open b
> b [1, "hello", {"session": h'00010000000000000000000000000000'}]
b < [1, -9, "hello: no such session, or it is over"]
b closed
> check
tuples 0 waiting 0 outcomes 0 sessions 0 taken 0 claims 0
