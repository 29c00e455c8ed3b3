# `unless`: only if nothing that exists matches, a claimed tuple included; with `hidden: false`
# a claim does not count. What is not put is answered null and leaves nothing.
> open a
> open b
> a [1, "hello", {"session": "new"}]
+ session session 2
a = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> a [2, "out", "main", ["once", 1, "a"], {"unless": ["once", 1, 21580(null)]}]
+ put 3 ["once", 1, "a"]
+ outcome session 2 number 2 3
a = [2, 0, 3]
> a [3, "out", "main", ["once", 1, "b"], {"unless": ["once", 1, 21580(null)]}]
a = [3, 0, null]
> commit
a < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
a < [2, 0, 3]
a < [3, 0, null]
> b [1, "in", "main", ["once", 1, 21580(null)], {"lease": 1000}]
+ state 3 tries 1
b = [1, 0, [[3, ["once", 1, "a"], 4, 1]]]
> a [4, "out", "main", ["once", 1, "c"], {"unless": ["once", 1, 21580(null)]}]
a = [4, 0, null]
> a [5, "outs", "main", [["once", 2, "d"], ["once", 1, "d"]], {"unless": ["once", 21580("int"), 21580("text")], "hidden": true}]
a = [5, 0, null]
> a [6, "outs", "main", [["once", 1, "e"], ["once", 1, "f"]], {"unless": ["once", 1, 21580(null)], "hidden": false}]
+ put 5 ["once", 1, "e"]
+ put 6 ["once", 1, "f"]
+ outcome session 2 number 6 [5, 6]
a = [6, 0, [5, 6]]
> a [7, "out", "main", ["once", 1, "g"], {"unless": ["once", 1, 21580(null)], "hidden": false}]
a = [7, 0, null]
> a [8, "out", "main", ["x"], {"hidden": false}]
a < [8, -2, "out: option hidden is for unless"]
> a [9, "out", "main", ["x"], {"unless": null}]
a = [9, 0, null]
> commit
b < [1, 0, [[3, ["once", 1, "a"], 4, 1]]]
a < [4, 0, null]
a < [5, 0, null]
a < [6, 0, [5, 6]]
a < [7, 0, null]
a < [9, 0, null]
> check
tuples 3 waiting 0 outcomes 3 sessions 1 taken 0 claims 1
# What is taken exists for nobody; what is put by the same request does not count for it.
> a [10, "in", "main", null, {"max": 9}]
+ state 5 session 2 number 10
+ state 6 session 2 number 10
a = [10, 0, [[5, ["once", 1, "e"]], [6, ["once", 1, "f"]]]]
> b [2, "commit", {"done": [4]}]
+ delete 3
b = [2, 0, []]
> a [11, "outs", "main", [["x"], ["x"]], {"unless": null}]
+ put 7 ["x"]
+ put 8 ["x"]
+ outcome session 2 number 11 [7, 8]
a = [11, 0, [7, 8]]
> commit
a < [10, 0, [[5, ["once", 1, "e"]], [6, ["once", 1, "f"]]]]
b < [2, 0, []]
a < [11, 0, [7, 8]]
> a [12, "cancel", 11]
a < [12, 0, false]
> check
tuples 2 waiting 0 outcomes 4 sessions 1 taken 2 claims 0
# Judged at the instant at which its walk has its answer; the request behind it waits.
> slices
> a [13, "outs", "main", [["n", 1], ["n", 2], ["n", 3], ["n", 4], ["n", 5]]]
+ put 9 ["n", 1]
+ put 10 ["n", 2]
+ put 11 ["n", 3]
+ put 12 ["n", 4]
+ put 13 ["n", 5]
+ outcome session 2 number 13 [9, 10, 11, 12, 13]
a = [13, 0, [9, 10, 11, 12, 13]]
> a [14, "out", "main", ["n", 9], {"unless": ["n", 21580({"type": "int", "ge": 5})]}]
a waits for work
> a [15, "ping"]
a waits for work
> work 2
> b [3, "in", "main", ["n", 5], {"timeout": 0, "lease": 1000}]
b waits for work
> work
+ state 13 tries 1
b = [3, 0, [[13, ["n", 5], 14, 1]]]
a = [14, 0, null]
a < [15, 0, null]
> a [16, "out", "main", ["n", 9], {"unless": ["n", 21580({"type": "int", "ge": 6})]}]
a waits for work
> work 1
> b [4, "out", "main", ["n", 7]]
+ put 15 ["n", 7]
b = [4, 0, 15]
> work
a = [16, 0, null]
> a [17, "out", "main", ["n", 9], {"unless": ["n", 21580({"type": "int", "ge": 8})]}]
a waits for work
> work
+ put 16 ["n", 9]
+ outcome session 2 number 17 16
a = [17, 0, 16]
> commit
a < [13, 0, [9, 10, 11, 12, 13]]
b < [3, 0, [[13, ["n", 5], 14, 1]]]
a < [14, 0, null]
b < [4, 0, 15]
a < [16, 0, null]
a < [17, 0, 16]
> check
tuples 9 waiting 0 outcomes 7 sessions 1 taken 2 claims 1
