# Guards from left to right, each its oldest match that none before it has taken; `rd` and `no`
# see what was taken before them, and nobody sees the outs. All in one step, or nothing.
> open a
> open b
> a [1, "hello", {"session": "new"}]
+ session session 2
a = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> a [2, "outs", "main", [["x", 1], ["x", 2], ["y", "a"]]]
+ put 3 ["x", 1]
+ put 4 ["x", 2]
+ put 5 ["y", "a"]
+ outcome session 2 number 2 [3, 4, 5]
a = [2, 0, [3, 4, 5]]
> commit
a < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
a < [2, 0, [3, 4, 5]]
> a [3, "atomic", [["in", "main", ["x", 21580("int")]], ["in", "main", ["x", 21580("int")]], ["no", "main", ["x", 21580("int")]], ["rd", "main", ["y", 21580(null)]], ["out", "main", ["x", 3]], ["out", "main", ["z"]]], {"timeout": 0}]
+ delete 3
+ delete 4
+ put 6 ["x", 3]
+ put 7 ["z"]
+ outcome session 2 number 3 [[[3, ["x", 1]], [4, ["x", 2]], null, [5, ["y", "a"]]], [6, 7]]
a = [3, 0, [[[3, ["x", 1]], [4, ["x", 2]], null, [5, ["y", "a"]]], [6, 7]]]
> a [4, "atomic", [["in", "main", ["x", 21580("int")]], ["rd", "main", ["x", 21580("int")]], ["out", "main", ["w"]]], {"timeout": 0}]
a = [4, 0, null]
> a [5, "atomic", [["in", "main", ["x", 3]], ["no", "main", ["z"]], ["out", "main", ["w"]]], {"timeout": 0}]
a = [5, 0, null]
> a [6, "rd", "main", null, {"max": 9}]
a = [6, 0, [[5, ["y", "a"]], [6, ["x", 3]], [7, ["z"]]]]
> commit
a < [3, 0, [[[3, ["x", 1]], [4, ["x", 2]], null, [5, ["y", "a"]]], [6, 7]]]
a < [4, 0, null]
a < [5, 0, null]
a < [6, 0, [[5, ["y", "a"]], [6, ["x", 3]], [7, ["z"]]]]
> check
tuples 3 waiting 0 outcomes 2 sessions 1 taken 0 claims 0
# What a guard takes is gone for good, and a cancel does not bring it back.
> a [7, "cancel", 3]
a < [7, 0, false]
# Guards alone change nothing: no outcome. A put alone is an out.
> a [8, "atomic", [["rd", "main", ["z"]], ["no", "main", ["w"]]]]
a < [8, 0, [[[7, ["z"]], null], []]]
> a [9, "atomic", [["out", "main", ["v", 1]]]]
+ put 8 ["v", 1]
+ outcome session 2 number 9 [[], [8]]
a = [9, 0, [[], [8]]]
> commit
a < [9, 0, [[], [8]]]
# `no` sees what is claimed; with `hidden: false` it does not.
> b [1, "in", "main", ["v", 1], {"lease": 60000}]
+ state 8 tries 1
b = [1, 0, [[8, ["v", 1], 9, 1]]]
> a [10, "atomic", [["no", "main", ["v", 21580(null)]], ["out", "main", ["once"]]], {"timeout": 0}]
a = [10, 0, null]
> a [11, "atomic", [["no", "main", ["v", 21580(null)], {"hidden": false}], ["out", "main", ["once"]]], {"timeout": 0}]
+ put 10 ["once"]
+ outcome session 2 number 11 [[null], [10]]
a = [11, 0, [[null], [10]]]
> a [12, "atomic", [["in", "main", ["v", 21580(null)]]], {"timeout": 0}]
a = [12, 0, null]
> commit
b < [1, 0, [[8, ["v", 1], 9, 1]]]
a < [10, 0, null]
a < [11, 0, [[null], [10]]]
a < [12, 0, null]
# Resent after a crash, what was done is answered, and what was not is done.
> a [13, "atomic", [["in", "main", ["once"]], ["out", "main", ["twice"]]]]
+ delete 10
+ put 11 ["twice"]
+ outcome session 2 number 13 [[[10, ["once"]]], [11]]
a = [13, 0, [[[10, ["once"]]], [11]]]
> a [14, "atomic", [["in", "main", ["twice"]], ["out", "main", ["twice"]], ["out", "main", ["thrice"]]]]
+ delete 11
+ put 12 ["twice"]
+ put 13 ["thrice"]
+ outcome session 2 number 14 [[[11, ["twice"]]], [12, 13]]
a = [14, 0, [[[11, ["twice"]]], [12, 13]]]
> crash
+ ceiling number 2097154
> open a
> a [1, "hello", {"session": h'00010000000000000000000000000000', "have": [[1, 10], 12]}]
+ outcome-free session 2
+ outcome-free session 2
+ outcome-free session 2
a < hello: boot 2 grace 60000 session h'00010000000000000000000000000000'
> a [11, "atomic", [["no", "main", ["v", 21580(null)], {"hidden": false}], ["out", "main", ["once"]]], {"timeout": 0}]
a < [11, 0, [[null], [10]]]
> a [13, "atomic", [["in", "main", ["once"]], ["out", "main", ["twice"]]]]
+ delete 10
+ put 1048578 ["twice"]
+ outcome session 2 number 13 [[[10, ["once"]]], [1048578]]
a = [13, 0, [[[10, ["once"]]], [1048578]]]
> a [14, "atomic", [["in", "main", ["twice"]], ["out", "main", ["twice"]], ["out", "main", ["thrice"]]]]
+ delete 1048578
+ put 1048579 ["twice"]
+ put 1048580 ["thrice"]
+ outcome session 2 number 14 [[[1048578, ["twice"]]], [1048579, 1048580]]
a = [14, 0, [[[1048578, ["twice"]]], [1048579, 1048580]]]
> commit
a < [13, 0, [[[10, ["once"]]], [1048578]]]
a < [14, 0, [[[1048578, ["twice"]]], [1048579, 1048580]]]
> a [15, "rd", "main", null, {"max": 9}]
a < [15, 0, [[5, ["y", "a"]], [6, ["x", 3]], [7, ["z"]], [8, ["v", 1]], [1048579, ["twice"]], [1048580, ["thrice"]]]]
> check
tuples 6 waiting 0 outcomes 3 sessions 1 taken 0 claims 0
