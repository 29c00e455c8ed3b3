# Into the space that is named for it, or NAME.dead; never from a durable space into a
# volatile one; and the tuples of a dropped space just go.
> open a
> a [1, "space", "create", "s", {"dead": "grave"}]
+ space 2 s
a = [1, 0, null]
> a [2, "outs", "s", [["x", 1], ["x", 2], ["x", 3]]]
+ put 3 ["x", 1]
+ put 4 ["x", 2]
+ put 5 ["x", 3]
a = [2, 0, [3, 4, 5]]
> a [3, "in", "s", null, {"max": 3, "lease": 60000}]
+ state 3 tries 1
+ state 4 tries 1
+ state 5 tries 1
a = [3, 0, [[3, ["x", 1], 6, 1], [4, ["x", 2], 7, 1], [5, ["x", 3], 8, 1]]]
> commit
a < [1, 0, null]
a < [2, 0, [3, 4, 5]]
a < [3, 0, [[3, ["x", 1], 6, 1], [4, ["x", 2], 7, 1], [5, ["x", 3], 8, 1]]]
> a [4, "commit", {"bury": [6], "done": [7], "out": [["s", ["why"]]]}]
+ delete 4
+ space 9 grave
+ delete 3
+ put 3 tries 1 ["x", 1]
+ put 10 ["why"]
a = [4, 0, [10]]
> a [5, "rd", "grave", null, {"max": 9}]
a = [5, 0, [[3, ["x", 1]]]]
> a [6, "space", "create", "main.dead", {"volatile": true}]
+ space 11 main.dead volatile
a = [6, 0, null]
> a [7, "out", "main", ["y"]]
+ put 12 ["y"]
a = [7, 0, 12]
> a [8, "in", "main", ["y"], {"lease": 60000}]
+ state 12 tries 1
a = [8, 0, [[12, ["y"], 13, 1]]]
> work
> commit
a < [4, 0, [10]]
a < [5, 0, [[3, ["x", 1]]]]
a < [6, 0, null]
a < [7, 0, 12]
a < [8, 0, [[12, ["y"], 13, 1]]]
> a [9, "commit", {"bury": [13]}]
a < [9, -17, "commit: its dead-letter space is not of the same durability"]
> a [10, "commit", {"done": [13]}]
+ delete 12
a = [10, 0, []]
> a [11, "space", "drop", "s"]
+ space-drop
a = [11, 0, null]
+ delete 10
> a [12, "commit", {"bury": [8]}]
+ delete 5
a = [12, 0, []]
+ space-end
> a [13, "space", "create", "t", {"dead": "t"}]
a < [13, -2, "space create: dead is not the name of another space"]
> a [14, "space", "create", "t", {"dead": "main.dead"}]
a < [14, -17, "space create: dead names a space that is not durable"]
> a [15, "space", "create", "t", {"dead": "main.dead", "volatile": true, "tries": 1}]
+ space tries 1 14 t volatile
a = [15, 0, null]
> a [16, "out", "t", ["z"]]
a < [16, 0, 15]
> a [17, "in", "t", ["z"], {"lease": 60000}]
a < [17, 0, [[15, ["z"], 16, 1]]]
> work
> a [18, "commit", {"back": [[16, 0]]}]
a < [18, 0, []]
> a [19, "count", "t", null]
a < [19, 0, 0]
> a [20, "rd", "main.dead", null, {"timeout": 0}]
a < [20, 0, [[15, ["z"]]]]
> commit
a < [10, 0, []]
a < [11, 0, null]
a < [12, 0, []]
a < [15, 0, null]
> check
tuples 2 waiting 0 outcomes 0 sessions 0 taken 0 claims 0
