> open a
> a [1, "in", "main", ["x"], {"timeout": 5000}]
> a [2, "rd", "main", ["x"], {"timeout": 3000}]
> pass 2999ms
> pass 1ms
a < [2, 0, []]
> pass 1999ms
> pass 1ms
a < [1, 0, []]
> check
tuples 0 waiting 0 outcomes 0 sessions 0 taken 0 claims 0
