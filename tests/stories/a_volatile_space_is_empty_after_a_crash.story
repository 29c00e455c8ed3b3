# A crash of the server takes what is in volatile spaces, and nothing that was durable.
> open a
> a [1, "hello", {"session": "new"}]
+ session session 2
a = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> a [2, "space", "create", "v", {"volatile": true}]
+ space 3 v volatile
+ outcome session 2 number 2 null
a = [2, 0, null]
> a [3, "out", "v", [1]]
a < [3, 0, 4]
> a [4, "out", "main", [1]]
+ put 5 [1]
+ outcome session 2 number 4 5
a = [4, 0, 5]
> commit
a < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
a < [2, 0, null]
a < [4, 0, 5]
> a [5, "out", "main", [2]]
+ put 6 [2]
+ outcome session 2 number 5 6
a = [5, 0, 6]
> crash
+ ceiling number 2097154
> open a
> a [1, "hello", {"session": "none"}]
a < hello: boot 2 grace 0
> a [2, "count", "v", null]
a < [2, 0, 0]
> a [3, "count", "main", null]
a < [3, 0, 1]
> check
tuples 1 waiting 0 outcomes 2 sessions 1 taken 0 claims 0
