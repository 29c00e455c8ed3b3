# So many of them, and so many bytes, in all.
> limit putters 2
> limit putter_bytes 6
> open a
> a [1, "space", "create", "s", {"tuples": 1, "volatile": true}]
+ space 2 s volatile tuples 1 bytes 0
a = [1, 0, null]
> a [2, "out", "s", []]
a < [2, 0, 3]
> a [3, "out", "s", [1], {"wait": true}]
> a [4, "out", "s", [1, 2, 3, 4], {"wait": true}]
a < [4, -4, "out: too many puts wait for room"]
> a [5, "out", "s", [1, 2, 3], {"wait": true}]
> a [6, "out", "s", [], {"wait": true}]
a < [6, -4, "out: too many puts wait for room"]
> a [7, "cancel", 3]
a < [3, -13, "cancelled"]
a < [7, 0, true]
> a [8, "out", "s", [1], {"wait": true}]
> check
tuples 1 waiting 2 outcomes 0 sessions 0 taken 0 claims 0
