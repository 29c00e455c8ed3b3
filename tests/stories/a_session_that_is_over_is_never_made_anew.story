> open a
> a [1, "hello", {"session": "new", "grace": 1000}]
+ session session 2
a = hello: boot 1 grace 1000 session h'00010000000000000000000000000000'
> commit
a < hello: boot 1 grace 1000 session h'00010000000000000000000000000000'
> close a
> pass 2s
+ session-end session 2
> open a
> a [1, "hello", {"session": h'00010000000000000000000000000000'}]
a < [1, -9, "hello: no such session, or it is over"]
a closed
> a [2, "out", "main", ["not", "done"]]
> close a
> open b uid:2
> b [1, "hello", {"session": "new"}]
+ session session 3
b = hello: boot 1 grace 60000 session h'00030000000000000000000000000000'
> commit
b < hello: boot 1 grace 60000 session h'00030000000000000000000000000000'
> open c uid:3
> c [1, "hello", {"session": h'00030000000000000000000000000000'}]
c < [1, -9, "hello: no such session, or it is over"]
c closed
> commit
> check
tuples 0 waiting 0 outcomes 0 sessions 1 taken 0 claims 0
