# Guards that need an index or a walk: asked for at first, the connection waits; waiting, the
# try does, and whoever comes meanwhile is seen.
> slices
> open a
> open b
> open c
> a [1, "space", "create", "s", {"volatile": true}]
+ space 2 s volatile
a = [1, 0, null]
> commit
a < [1, 0, null]
> a [2, "outs", "s", [["n", 1], ["n", 2], ["n", 3], ["n", 4], ["n", 5], ["n", 6]]]
a < [2, 0, [3, 4, 5, 6, 7, 8]]
> a [3, "atomic", [["in", "s", ["n", 21580({"type": "int", "ge": 4})]], ["no", "s", ["n", 21580({"type": "int", "ge": 7})]], ["rd", "s", ["n", 21580({"type": "int", "ge": 4})]], ["out", "s", ["m", 21581([0, 1])]]]]
a waits for work
> a [4, "ping"]
a waits for work
> work 3
> b [1, "out", "s", ["n", 0]]
b < [1, 0, 9]
> work 4
> work 4
> work 4
> work
a < [3, 0, [[[6, ["n", 4]], null, [7, ["n", 5]]], [10]]]
a < [4, 0, null]
> check
tuples 7 waiting 0 outcomes 0 sessions 0 taken 0 claims 0
# Waiting: a tuple that does not match its residue wakes nobody.
> a [5, "atomic", [["in", "s", ["go", 21580({"type": "int", "ge": 5})]], ["in", "s", ["n", 21580({"type": "int", "ge": 5})]], ["out", "s", ["a went", 21581([1, 1])]]]]
> b [2, "atomic", [["in", "s", ["go", 21580("int")]], ["in", "s", ["n", 21580({"type": "int", "ge": 5})]], ["out", "s", ["b went", 21581([1, 1])]]]]
> work
> check
tuples 7 waiting 2 outcomes 0 sessions 0 taken 0 claims 0
> c [1, "out", "s", ["go", 1]]
c < [1, 0, 11]
> check
tuples 8 waiting 2 outcomes 0 sessions 0 taken 0 claims 0
# While the try walks, what it would have found is taken, and another comes behind its back.
> work 2
> c [2, "in", "s", ["n", 5]]
c waits for work
> work 1
> c [3, "in", "s", ["n", 6]]
c waits for work
> check
tuples 8 waiting 2 outcomes 0 sessions 0 taken 0 claims 0
> work
b < [2, 0, [[[11, ["go", 1]], [7, ["n", 5]]], [12]]]
c < [3, 0, [[8, ["n", 6]]]]
> check
tuples 6 waiting 2 outcomes 1 sessions 0 taken 1 claims 0
> c [4, "out", "s", ["n", 9]]
c < [4, 0, 13]
> work
> check
tuples 7 waiting 2 outcomes 1 sessions 0 taken 1 claims 0
> c [5, "out", "s", ["go", 7]]
c < [5, 0, 14]
> work
a < [5, 0, [[[14, ["go", 7]], [13, ["n", 9]]], [15]]]
> check
tuples 7 waiting 1 outcomes 1 sessions 0 taken 1 claims 0
> c [6, "out", "s", ["n", 8]]
c < [6, 0, 16]
> work
> check
tuples 8 waiting 1 outcomes 1 sessions 0 taken 1 claims 0
# `no` with residue.
> a [6, "atomic", [["no", "s", ["n", 21580({"type": "int", "ge": 1})]], ["out", "s", ["small ones are left"]]]]
a waits for work
> work
> c [7, "in", "s", ["n", 21580({"type": "int", "ge": 1})], {"max": 3}]
c waits for work
> work
c < [7, 0, [[3, ["n", 1]], [4, ["n", 2]], [5, ["n", 3]]]]
> check
tuples 5 waiting 2 outcomes 2 sessions 0 taken 4 claims 0
> c [8, "in", "s", ["n", 21580({"type": "int", "ge": 1})], {"timeout": 0}]
c waits for work
> work
c < [8, 0, [[16, ["n", 8]]]]
a < [6, 0, [[null], [17]]]
> c [9, "in", "s", ["n", 4]]
> work
> check
tuples 5 waiting 2 outcomes 3 sessions 0 taken 5 claims 0
# Any tuple at all, and none.
> a [7, "atomic", [["no", "s", null], ["out", "s", ["empty"]]]]
> b [3, "atomic", [["in", "s", null], ["in", "s", null], ["in", "s", null], ["in", "s", null], ["in", "s", null], ["no", "s", null], ["out", "s", ["five were left"]]], {"timeout": 0}]
b < [3, 0, [[[9, ["n", 0]], [10, ["m", 4]], [12, ["b went", 5]], [15, ["a went", 9]], [17, ["small ones are left"]], null], [18]]]
> work
> c [10, "rd", "s", null, {"max": 9}]
c < [10, 0, [[18, ["five were left"]]]]
> check
tuples 1 waiting 3 outcomes 3 sessions 0 taken 5 claims 0
