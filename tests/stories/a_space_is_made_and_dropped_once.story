# A resend of a create or a drop is answered from its outcome, over a crash too.
> open a
> a [1, "hello", {"session": "new"}]
+ session session 2
a = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> a [2, "space", "create", "s"]
+ space 3 s
+ outcome session 2 number 2 null
a = [2, 0, null]
> a [3, "out", "s", ["x"]]
+ put 4 ["x"]
+ outcome session 2 number 3 4
a = [3, 0, 4]
> commit
a < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
a < [2, 0, null]
a < [3, 0, 4]
> crash
+ ceiling number 2097154
> open a
> a [1, "hello", {"session": h'00010000000000000000000000000000', "have": []}]
a < hello: boot 2 grace 60000 session h'00010000000000000000000000000000'
> a [2, "space", "create", "s"]
a < [2, 0, null]
> a [3, "out", "s", ["x"]]
a < [3, 0, 4]
> a [4, "space", "drop", "s"]
+ space-drop
+ outcome session 2 number 4 null
a = [4, 0, null]
+ delete 4
+ space-end
> commit
a < [4, 0, null]
> open b
> b [1, "hello", {"session": h'00010000000000000000000000000000', "have": [[1, 3]]}]
a < [0, -10, "another connection resumed this session"]
a closed, unread bytes dropped
+ outcome-free session 2
b < hello: boot 2 grace 60000 session h'00010000000000000000000000000000'
> b [4, "space", "drop", "s"]
b < [4, 0, null]
> b [5, "space", "drop", "s"]
b < [5, -5, "space: no such space: s"]
> check
tuples 0 waiting 0 outcomes 1 sessions 1 taken 0 claims 0
