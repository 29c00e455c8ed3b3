# `wait` sees what exists, claimed tuples too; with `hidden: false` what is visible. Its
# answer is the number at the end of the step that reaches it.
> open a
> open b
> a [1, "space", "create", "s", {"volatile": true}]
+ space 2 s volatile
a = [1, 0, null]
> commit
a < [1, 0, null]
> a [2, "wait", "s", ["x", 21580("int")], ["eq", 0]]
a < [2, 0, 0]
> a [3, "wait", "s", ["x", 21580("int")], ["ge", 0]]
a < [3, 0, 0]
> a [4, "wait", "s", ["x", 21580("int")], ["ge", 1], {"timeout": 0}]
a < [4, 0, null]
> a [5, "wait", "s", ["x", 21580("int")], ["ge", 1]]
> a [6, "wait", "s", ["x", 21580("int")], ["ge", 2]]
> a [7, "wait", "s", ["x", 21580("int")], ["ge", 2], {"hidden": false}]
> a [8, "wait", "s", ["x", 21580("int")], ["ge", 4], {"timeout": 1000}]
> check
tuples 0 waiting 4 outcomes 0 sessions 0 taken 0 claims 0
> b [1, "outs", "s", [["y", 1], ["x", "no"], ["x", 1], ["x", 2], ["x", 3]]]
b < [1, 0, [3, 4, 5, 6, 7]]
a < [5, 0, 3]
a < [6, 0, 3]
a < [7, 0, 3]
> check
tuples 5 waiting 1 outcomes 0 sessions 0 taken 0 claims 0
> a [9, "wait", "s", ["x", 21580("int")], ["eq", 0]]
> a [10, "wait", "s", ["x", 21580("int")], ["eq", 0], {"hidden": false}]
> b [2, "in", "s", ["x", 21580("int")], {"max": 2, "lease": 1000}]
b < [2, 0, [[5, ["x", 1], 8, 1], [6, ["x", 2], 9, 1]]]
> check
tuples 5 waiting 3 outcomes 1 sessions 0 taken 0 claims 2
> a [11, "wait", "s", ["x", 21580("int")], ["ge", 2], {"hidden": false, "timeout": 0}]
a < [11, 0, null]
> a [12, "count", "s", ["x", 21580("int")]]
a < [12, 0, 3]
> a [13, "count", "s", ["x", 21580("int")], {"hidden": false}]
a < [13, 0, 1]
> a [14, "count", "s", ["x", 21580("int")], {"hidden": true}]
a < [14, 0, 3]
> a [15, "wait", "s", ["x", 21580("int")], ["ge", 2], {"hidden": false}]
> b [20, "in", "s", ["x", 3], {"lease": 999}]
b < [20, 0, [[7, ["x", 3], 10, 1]]]
a < [10, 0, 0]
> check
tuples 5 waiting 3 outcomes 2 sessions 0 taken 0 claims 3
> pass 999ms
> pass 1ms
a < [8, 0, null]
a < [15, 0, 3]
> b [23, "in", "s", ["x", 21580("int")], {"max": 3}]
b < [23, 0, [[5, ["x", 1]], [6, ["x", 2]], [7, ["x", 3]]]]
a < [9, 0, 0]
> check
tuples 2 waiting 0 outcomes 1 sessions 0 taken 3 claims 0
# One step is one instant: what it puts and takes leaves nothing between.
# Nobody sees a tuple that is taken as it appears, nor the end of what goes on in the same commit.
> a [16, "wait", "s", ["x", 21580("int")], ["ge", 1]]
> a [17, "in", "s", ["x", 21580("int")]]
> b [24, "out", "s", ["x", 4]]
a < [17, 0, [[11, ["x", 4]]]]
b < [24, 0, 11]
> b [25, "out", "s", ["x", 5]]
b < [25, 0, 12]
a < [16, 0, 1]
> a [18, "wait", "s", ["x", 21580("int")], ["eq", 0]]
> b [26, "in", "s", ["x", 5], {"lease": 60000}]
b < [26, 0, [[12, ["x", 5], 13, 1]]]
> b [27, "commit", {"done": [13], "out": [["s", ["x", 6]]]}]
b < [27, 0, [14]]
> b [28, "in", "s", ["x", 6]]
b < [28, 0, [[14, ["x", 6]]]]
a < [18, 0, 0]
> check
tuples 2 waiting 0 outcomes 3 sessions 0 taken 5 claims 0
