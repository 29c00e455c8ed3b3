# So does what vanishes with its session; and an out that waited lives as long as any other,
# from the moment at which it is put.
> open a
> open b
> a [1, "space", "create", "s", {"tuples": 2, "volatile": true}]
+ space 2 s volatile tuples 2 bytes 0
a = [1, 0, null]
> a [2, "out", "s", [1], {"ttl": 5000}]
a < [2, 0, 3]
> b [1, "out", "s", [2], {"bound": true}]
b < [1, 0, 4]
> a [3, "out", "s", [3], {"wait": true, "ttl": 3000}]
> a [4, "out", "s", [4], {"wait": true, "delay": 1000}]
> check
tuples 2 waiting 2 outcomes 0 sessions 0 taken 0 claims 0
> pass 5s
a < [3, 0, 5]
> check
tuples 2 waiting 1 outcomes 0 sessions 0 taken 0 claims 0
> close b
a < [4, 0, 6]
> check
tuples 2 waiting 0 outcomes 0 sessions 0 taken 0 claims 0
> a [5, "out", "s", [5], {"wait": true, "timeout": 2000}]
> a [6, "in", "s", [4], {"timeout": 0}]
a < [6, 0, []]
> pass 1s
> a [7, "in", "s", [4], {"timeout": 0, "lease": 60000}]
a < [7, 0, [[6, [4], 7, 1]]]
> pass 1s
a < [5, -7, "out: there was no room in time"]
> a [8, "out", "s", [6], {"wait": true}]
> pass 1s
a < [8, 0, 8]
> a [9, "rd", "s", null, {"max": 9}]
a < [9, 0, [[8, [6]]]]
> check
tuples 2 waiting 0 outcomes 1 sessions 0 taken 0 claims 1
