# A client gave connection b up before its hello was read, resumed on c, and acknowledged.
> open a
> a [1, "hello", {"session": "new"}]
+ session session 2
a = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> commit
a < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> close a
> open b
> open c
> c [1, "hello", {"session": h'00010000000000000000000000000000', "have": []}]
c < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> c [2, "out", "main", ["once"]]
+ put 3 ["once"]
+ outcome session 2 number 2 3
c = [2, 0, 3]
> commit
c < [2, 0, 3]
> c [0, "ack", 2]
+ outcome-free session 2
> b [1, "hello", {"session": h'00010000000000000000000000000000', "have": []}]
b < [1, -10, "a newer connection resumed this session"]
b closed
> b [2, "out", "main", ["once"]]
> c [3, "ping"]
c < [3, 0, null]
> close c
> open d
> d [1, "hello", {"session": h'00010000000000000000000000000000', "have": [[2, 3]]}]
d < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> check
tuples 1 waiting 0 outcomes 0 sessions 1 taken 0 claims 0
