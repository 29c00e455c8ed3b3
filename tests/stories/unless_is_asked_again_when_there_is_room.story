# What has come meanwhile counts, and one that must be walked for is waited for: nobody
# behind is done before.
> slices
> open a
> open b
> a [1, "space", "create", "s", {"tuples": 3, "volatile": true}]
+ space 2 s volatile tuples 3 bytes 0
a = [1, 0, null]
> a [2, "outs", "s", [["a", 1], ["a", 2], ["b", 3]]]
a < [2, 0, [3, 4, 5]]
> a [3, "out", "s", ["x", 1], {"wait": true, "unless": ["a", 21580({"type": "int", "ge": 3})]}]
a waits for work
> work
> b [1, "out", "s", ["y", 1], {"wait": true}]
> b [2, "in", "s", ["b", 3]]
b waits for work
> work 1
> check
tuples 3 waiting 2 outcomes 0 sessions 0 taken 0 claims 0
> work
b < [2, 0, [[5, ["b", 3]]]]
a < [3, 0, 6]
> b [3, "in", "s", ["x", 1]]
b < [3, 0, [[6, ["x", 1]]]]
> work
b < [1, 0, 7]
> check
tuples 3 waiting 0 outcomes 2 sessions 0 taken 2 claims 0
> a [4, "out", "s", ["x", 1], {"wait": true, "unless": ["a", 21580({"type": "int", "ge": 3})]}]
a waits for work
> work
> b [4, "in", "s", ["a", 1]]
b < [4, 0, [[3, ["a", 1]]]]
> b [5, "out", "s", ["a", 3]]
b < [5, 0, 8]
> b [6, "in", "s", ["y", 1]]
b < [6, 0, [[7, ["y", 1]]]]
> work
a < [4, 0, null]
> check
tuples 2 waiting 0 outcomes 4 sessions 0 taken 4 claims 0
