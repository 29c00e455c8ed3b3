# The second resume takes over; what the first still sends is not looked at.
> open a
> a [1, "hello", {"session": "new"}]
+ session session 2
a = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> commit
a < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> a [2, "in", "main", ["x"]]
> open b
> b [1, "hello", {"session": h'00010000000000000000000000000000', "have": []}]
a < [0, -10, "another connection resumed this session"]
a closed, unread bytes dropped
b < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> a [3, "out", "main", ["late"]]
> b [2, "in", "main", ["x"]]
> b [3, "out", "main", ["x"]]
+ put 3 ["x"]
+ state 3 session 2 number 2
b = [2, 0, [[3, ["x"]]]]
+ outcome session 2 number 3 3
b = [3, 0, 3]
> commit
b < [2, 0, [[3, ["x"]]]]
b < [3, 0, 3]
> close a
> check
tuples 0 waiting 0 outcomes 2 sessions 1 taken 1 claims 0
