# Outs that wait are done in the order of their asking, when tuples leave in whichever way,
# and none overtakes an older one that needs more. What does not wait goes by what is there.
> open a
> open b
> a [1, "space", "create", "s", {"tuples": 2, "volatile": true}]
+ space 2 s volatile tuples 2 bytes 0
a = [1, 0, null]
> a [2, "outs", "s", [[1], [2]], {"wait": true}]
a < [2, 0, [3, 4]]
> a [3, "outs", "s", [[3], [4]], {"wait": true}]
> b [1, "out", "s", [5], {"wait": true}]
> a [4, "out", "s", [6], {"wait": true, "timeout": 0}]
a < [4, -7, "out: the space is full (its limit of tuples: 2)"]
> a [5, "outs", "s", [[1], [2], [3]], {"wait": true}]
a < [5, -4, "outs: too much for the space (its limit of tuples: 2)"]
> check
tuples 2 waiting 2 outcomes 0 sessions 0 taken 0 claims 0
> b [2, "in", "s", [1]]
b < [2, 0, [[3, [1]]]]
> check
tuples 1 waiting 2 outcomes 1 sessions 0 taken 1 claims 0
> b [3, "out", "s", [7], {"wait": true}]
> a [6, "out", "s", [8]]
a < [6, 0, 5]
> b [4, "in", "s", [2], {"lease": 60000}]
b < [4, 0, [[4, [2], 6, 1]]]
> check
tuples 2 waiting 3 outcomes 2 sessions 0 taken 1 claims 1
> b [5, "in", "s", [8]]
b < [5, 0, [[5, [8]]]]
> b [6, "commit", {"done": [6]}]
b < [6, 0, []]
a < [3, 0, [7, 8]]
> b [7, "in", "s", [3]]
b < [7, 0, [[7, [3]]]]
b < [1, 0, 9]
> b [8, "in", "s", [4]]
b < [8, 0, [[8, [4]]]]
b < [3, 0, 10]
> b [9, "count", "s", null]
b < [9, 0, 2]
> check
tuples 2 waiting 0 outcomes 4 sessions 0 taken 4 claims 0
> a [7, "out", "s", [9], {"wait": true}]
> a [8, "out", "s", [10], {"wait": true}]
> a [9, "space", "alter", "s", {"tuples": 3}]
+ space 2 s volatile tuples 3 bytes 0
a = [9, 0, null]
a < [7, 0, 11]
> a [10, "cancel", 8]
a < [8, -13, "cancelled"]
a < [10, 0, true]
> a [11, "out", "s", [11], {"wait": true, "timeout": 1000}]
> pass 1s
a < [11, -7, "out: there was no room in time"]
> a [12, "out", "s", [12], {"wait": true, "unless": [7]}]
a < [12, 0, null]
> a [13, "out", "s", [13], {"wait": true, "unless": [14]}]
> a [14, "out", "s", [14], {"wait": true}]
> a [15, "out", "s", [15], {"wait": true}]
> a [17, "space", "alter", "s", {"shape": [14], "tuples": 4}]
+ space 2 s volatile tuples 4 bytes 0 shape [14]
a = [17, 0, null]
a < [13, -19, "out: field 0 is 13 (int), the space wants 14"]
a < [14, 0, 12]
a < [15, -19, "out: field 0 is 15 (int), the space wants 14"]
> b [10, "in", "s", null]
b < [10, 0, [[9, [5]]]]
> a [18, "outs", "s", [[14], [14], [14], [14]], {"wait": true}]
> a [19, "space", "drop", "s"]
+ space-drop
a = [19, 0, null]
a < [18, -5, "the space was dropped"]
> check
tuples 0 waiting 0 outcomes 5 sessions 0 taken 5 claims 0
