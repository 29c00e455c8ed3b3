# Its name is free at once, who waits is told, its rows go in slices.
> open a
> open b
> a [1, "space", "create", "s"]
+ space 2 s
a = [1, 0, null]
> a [2, "outs", "s", [[1], [2], [3], [4]]]
+ put 3 [1]
+ put 4 [2]
+ put 5 [3]
+ put 6 [4]
a = [2, 0, [3, 4, 5, 6]]
> b [1, "in", "s", ["never"]]
> slices
> a [3, "space", "drop", "s"]
+ space-drop
a = [3, 0, null]
> a [4, "out", "s", [5]]
a < [4, -5, "out: no such space: s"]
> work 3
> a [5, "space", "create", "s", {"volatile": true}]
+ space 7 s volatile
a = [5, 0, null]
> work
b = [1, -5, "the space was dropped"]
+ delete 3
+ delete 4
+ delete 5
+ delete 6
+ space-end
> a [6, "space", "list"]
a < [6, 0, [{"dead": "", "name": "main", "bytes": 0, "shape": null, "tries": 0, "claims": 0, "tuples": 0, "delayed": 0, "volatile": false, "max_bytes": 0, "max_tuples": 0}, {"dead": "", "name": "s", "bytes": 0, "shape": null, "tries": 0, "claims": 0, "tuples": 0, "delayed": 0, "volatile": true, "max_bytes": 0, "max_tuples": 0}]]
> commit
a < [1, 0, null]
a < [2, 0, [3, 4, 5, 6]]
a < [3, 0, null]
a < [5, 0, null]
b < [1, -5, "the space was dropped"]
> a [7, "space", "drop", "main"]
a < [7, -8, "space drop: main stays"]
> check
tuples 0 waiting 0 outcomes 0 sessions 0 taken 0 claims 0

