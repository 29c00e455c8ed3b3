# The limit of waiting requests counts watches and takes alike: 2, 3 and 4 of 3.
> limit waiting 3
> open a
> a [1, "watch", "main", ["x"]]
> a [2, "in", "main", ["x"]]
> a [3, "watch", "main", ["y"]]
> a [4, "watch", "main", ["z"]]
a < [4, -4, "watch: too many requests of this session wait"]
> a [5, "in", "main", ["z"]]
a < [5, -4, "in: too many requests of this session wait"]
> a [6, "cancel", 1]
a < [1, -13, "cancelled"]
a < [6, 0, true]
> a [7, "watch", "main", ["z"]]
> check
tuples 0 waiting 1 outcomes 0 sessions 0 taken 0 claims 0
