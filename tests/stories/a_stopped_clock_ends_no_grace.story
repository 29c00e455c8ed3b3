# The server slept for an hour: the lease clock went on by one second.
> open a
> a [1, "hello", {"session": "new", "grace": 60000}]
+ session session 2
a = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> commit
a < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> close a
> check
tuples 0 waiting 0 outcomes 0 sessions 1 taken 0 claims 0
> sleep 1h
> check
tuples 0 waiting 0 outcomes 0 sessions 1 taken 0 claims 0
> pass 58s
> check
tuples 0 waiting 0 outcomes 0 sessions 1 taken 0 claims 0
> pass 2s
+ session-end session 2
> check
tuples 0 waiting 0 outcomes 0 sessions 0 taken 0 claims 0
