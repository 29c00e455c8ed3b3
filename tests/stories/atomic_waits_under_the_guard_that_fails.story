# A waiting atomic stands under its first guard that failed; it is tried, as work, when that may
# hold, the oldest first, and moves when another fails. It reserves nothing.
> slices
> open a
> open b
> open c
> a [1, "space", "create", "s", {"volatile": true}]
+ space 2 s volatile
a = [1, 0, null]
> commit
a < [1, 0, null]
> a [2, "atomic", [["in", "s", ["fork", 1]], ["in", "s", ["fork", 2]], ["out", "s", ["a eats"]]]]
> b [1, "atomic", [["in", "s", ["fork", 2]], ["in", "s", ["fork", 1]], ["out", "s", ["b eats"]]]]
> c [1, "out", "s", ["fork", 1]]
c < [1, 0, 3]
> check
tuples 1 waiting 2 outcomes 0 sessions 0 taken 0 claims 0
> work
> check
tuples 1 waiting 2 outcomes 0 sessions 0 taken 0 claims 0
> c [2, "out", "s", ["fork", 2]]
c < [2, 0, 4]
> work
a < [2, 0, [[[3, ["fork", 1]], [4, ["fork", 2]]], [5]]]
> check
tuples 1 waiting 1 outcomes 0 sessions 0 taken 0 claims 0
> c [3, "outs", "s", [["fork", 2], ["fork", 1]]]
c < [3, 0, [6, 7]]
> work
b < [1, 0, [[[6, ["fork", 2]], [7, ["fork", 1]]], [8]]]
> check
tuples 2 waiting 0 outcomes 0 sessions 0 taken 0 claims 0
# A single take may come before it.
> a [3, "atomic", [["in", "s", ["ham"]], ["in", "s", ["eggs"]]]]
a waits for work
> work
> b [2, "in", "s", ["eggs"]]
> work
> c [4, "outs", "s", [["ham"], ["eggs"]]]
b < [2, 0, [[10, ["eggs"]]]]
c < [4, 0, [9, 10]]
> work
> c [5, "in", "s", ["ham"]]
c < [5, 0, [[9, ["ham"]]]]
> c [6, "out", "s", ["eggs"]]
c < [6, 0, 11]
> work
> check
tuples 3 waiting 1 outcomes 2 sessions 0 taken 2 claims 0
> c [7, "out", "s", ["ham"]]
c < [7, 0, 12]
> work
a < [3, 0, [[[12, ["ham"]], [11, ["eggs"]]], []]]
> check
tuples 2 waiting 0 outcomes 2 sessions 0 taken 2 claims 0
# Two of them, one tuple: one wins, and the other waits on.
> a [4, "atomic", [["in", "s", ["one", 21580("int")]], ["out", "s", ["won by a"]]]]
> b [3, "atomic", [["in", "s", ["one", 21580({"type": "int", "ge": 1})]], ["out", "s", ["won by b"]]]]
> c [8, "atomic", [["in", "s", ["one", 21580("int")]], ["out", "s", ["won by c"]]]]
> c [9, "out", "s", ["one", 1]]
c < [9, 0, 13]
> work
a < [4, 0, [[[13, ["one", 1]]], [14]]]
> check
tuples 3 waiting 2 outcomes 2 sessions 0 taken 2 claims 0
> c [10, "out", "s", ["one", 0]]
c < [10, 0, 15]
> work
c < [8, 0, [[[15, ["one", 0]]], [16]]]
> check
tuples 4 waiting 1 outcomes 2 sessions 0 taken 2 claims 0
> c [11, "out", "s", ["one", 2]]
c < [11, 0, 17]
> work
b < [3, 0, [[[17, ["one", 2]]], [18]]]
> check
tuples 5 waiting 0 outcomes 2 sessions 0 taken 2 claims 0
# `no` waits for the last to go; it takes some of them itself.
> c [12, "outs", "s", [["n", 1], ["n", 2], ["n", 3], ["n", 4]]]
c < [12, 0, [19, 20, 21, 22]]
> a [5, "atomic", [["no", "s", ["n", 21580("int")]], ["out", "s", ["none is left"]]]]
> b [4, "atomic", [["in", "s", ["n", 21580("int")]], ["in", "s", ["n", 21580("int")]], ["no", "s", ["n", 21580("int")]], ["out", "s", ["the last two"]]]]
> b [5, "atomic", [["no", "s", ["n", 21580("int")], {"hidden": false}], ["out", "s", ["none is visible"]]]]
> c [13, "in", "s", ["n", 1]]
c < [13, 0, [[19, ["n", 1]]]]
> work
> check
tuples 8 waiting 3 outcomes 3 sessions 0 taken 3 claims 0
> c [14, "in", "s", ["n", 3], {"lease": 60000}]
c < [14, 0, [[21, ["n", 3], 23, 1]]]
> work
> check
tuples 8 waiting 3 outcomes 4 sessions 0 taken 3 claims 1
> c [15, "in", "s", ["n", 21580("int")], {"max": 2, "lease": 60000}]
c < [15, 0, [[20, ["n", 2], 24, 1], [22, ["n", 4], 25, 1]]]
> work
b < [5, 0, [[null], [26]]]
> check
tuples 9 waiting 2 outcomes 5 sessions 0 taken 3 claims 3
> c [16, "commit", {"done": [23]}]
c < [16, 0, []]
> work
> c [17, "commit", {"back": [[24, 0], [25, 0]]}]
c < [17, 0, []]
> work
b < [4, 0, [[[20, ["n", 2]], [22, ["n", 4]], null], [27]]]
a < [5, 0, [[null], [28]]]
> check
tuples 8 waiting 0 outcomes 3 sessions 0 taken 3 claims 0
