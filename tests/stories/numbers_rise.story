> open a
> a [5, "ping"]
a < [5, 0, null]
> a [5, "ping"]
a < [5, -2, "ping: request numbers rise; 5 is not above 5"]
> a [4, "out", "main", ["x"]]
a < [4, -2, "out: request numbers rise; 4 is not above 5"]
> a [6, "out", "nowhere", ["x"]]
a < [6, -5, "out: no such space: nowhere"]
> a [7, "fly", "main"]
a < [7, -2, "no such request: fly"]
> a [8, "out", "main", ["x"], {"lease": 5}]
a < [8, -2, "out: no such option: lease"]
> a [9, "in", "main", ["x"], {"max": 0}]
a < [9, -4, "in: option max: not 1 to 1024"]
> a [10, "in", "main", ["x"], {"max": 1025}]
a < [10, -4, "in: option max: not 1 to 1024"]
> a [11, "out", "main", [?int]]
a < [11, -3, "out: tuple, field 0: a formal in a tuple"]
> a [12, "hello", {"session": "new"}]
a < [12, -2, "hello: comes first, and once"]
a closed
> check
tuples 0 waiting 0 outcomes 0 sessions 0 taken 0 claims 0
