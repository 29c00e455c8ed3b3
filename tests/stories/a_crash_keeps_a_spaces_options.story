# Those of main too, and the last word counts.
> open a
> a [1, "space", "create", "s", {"tries": 3, "dead": "d", "shape": [21580("int")], "tuples": 5, "bytes": 1000}]
+ space tries 3 2 s tuples 5 bytes 1000 shape [?int]
a = [1, 0, null]
> a [2, "space", "alter", "main", {"tries": 2, "shape": ["x", 21580(null)]}]
+ space tries 2 1 main shape ["x", ?]
a = [2, 0, null]
> commit
a < [1, 0, null]
a < [2, 0, null]
> a [3, "space", "alter", "s", {"tries": 0, "bytes": 0}]
+ space 2 s tuples 5 bytes 0 shape [?int]
a = [3, 0, null]
> a [4, "space", "alter", "s", {"volatile": true}]
a < [4, -2, "space alter: volatile is said once, at create"]
> a [5, "space", "alter", "nowhere", {"tries": 1}]
a < [5, -5, "space: no such space: nowhere"]
> a [6, "space", "alter", "main", {"dead": "main"}]
a < [6, -2, "space alter: dead is not the name of another space"]
> commit
a < [3, 0, null]
> a [7, "space", "alter", "s", {"tuples": 9}]
+ space 2 s tuples 9 bytes 0 shape [?int]
a = [7, 0, null]
> crash
+ ceiling number 2097154
> open a
> a [8, "space", "list"]
a < [8, 0, [{"dead": "", "name": "main", "bytes": 0, "shape": ["x", ?], "tries": 2, "claims": 0, "tuples": 0, "delayed": 0, "volatile": false, "max_bytes": 0, "max_tuples": 0}, {"dead": "d", "name": "s", "bytes": 0, "shape": [?int], "tries": 0, "claims": 0, "tuples": 0, "delayed": 0, "volatile": false, "max_bytes": 0, "max_tuples": 5}]]
> a [9, "out", "main", ["y", 1]]
a < [9, -19, "out: field 0 is \"y\" (text), the space wants \"x\""]
> a [10, "out", "s", ["y"]]
a < [10, -19, "out: field 0 is \"y\" (text), the space wants int"]
> check
tuples 0 waiting 0 outcomes 0 sessions 0 taken 0 claims 0
