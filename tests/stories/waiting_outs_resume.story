# A session that is away does not stand in the way of others, and has its old place when
# it is back. What was done for it before its resend is answered once.
> open a
> open b
> a [1, "hello", {"session": "new"}]
+ session session 2
a = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> a [2, "space", "create", "s", {"tuples": 1}]
+ space 3 s tuples 1 bytes 0
+ outcome session 2 number 2 null
a = [2, 0, null]
> a [3, "out", "s", [1]]
+ put 4 [1]
+ outcome session 2 number 3 4
a = [3, 0, 4]
> a [4, "out", "s", [2], {"wait": true}]
> b [1, "out", "s", [3], {"wait": true}]
> commit
a < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
a < [2, 0, null]
a < [3, 0, 4]
> close a
> check
tuples 1 waiting 1 outcomes 2 sessions 1 taken 0 claims 0
> open c
> c [1, "hello", {"session": h'00010000000000000000000000000000'}]
c < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> check
tuples 1 waiting 2 outcomes 2 sessions 1 taken 0 claims 0
> b [2, "in", "s", [1]]
+ delete 4
b = [2, 0, [[4, [1]]]]
+ put 5 [2]
+ outcome session 2 number 4 5
c = [4, 0, 5]
> c [4, "out", "s", [2], {"wait": true}]
> commit
b < [2, 0, [[4, [1]]]]
c < [4, 0, 5]
> close c
> open c
> c [1, "hello", {"session": h'00010000000000000000000000000000'}]
c < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> c [4, "out", "s", [2], {"wait": true}]
c < [4, 0, 5]
> b [3, "in", "s", [2]]
+ delete 5
b = [3, 0, [[5, [2]]]]
+ put 6 [3]
b = [1, 0, 6]
> commit
b < [3, 0, [[5, [2]]]]
b < [1, 0, 6]
> c [5, "out", "s", [4], {"wait": true}]
> c [6, "bye"]
c < [5, -13, "the session said bye"]
+ outcome-free session 2
+ outcome-free session 2
c = [6, 0, null]
+ session-end session 2
> commit
c < [6, 0, null]
> b [4, "out", "s", [5], {"wait": true}]
> stop
b < [4, -14, "the server is stopping"]
> check
tuples 1 waiting 0 outcomes 2 sessions 0 taken 2 claims 0
