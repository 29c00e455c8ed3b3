# Never both; and what it names must be there and be allowed.
> open a
> a [1, "space", "create", "v", {"volatile": true}]
+ space 2 v volatile
a = [1, 0, null]
> a [2, "outs", "main", [["x"]]]
+ put 3 ["x"]
a = [2, 0, [3]]
> a [3, "outs", "v", [["x"]]]
a < [3, 0, [4]]
> a [4, "in", "main", ["x"], {"lease": 60000}]
+ state 3 tries 1
a = [4, 0, [[3, ["x"], 5, 1]]]
> work
> a [5, "in", "v", ["x"], {"lease": 60000}]
a < [5, 0, [[4, ["x"], 6, 1]]]
> work
> commit
a < [1, 0, null]
a < [2, 0, [3]]
a < [4, 0, [[3, ["x"], 5, 1]]]
> a [6, "commit", {"done": [5, 6]}]
a < [6, -17, "commit: touches both durable and volatile spaces"]
> a [7, "commit", {"done": [5], "out": [["v", ["y"]]]}]
a < [7, -17, "commit: touches both durable and volatile spaces"]
> a [8, "commit", {"done": [5], "out": [["nowhere", ["y"]]]}]
a < [8, -5, "commit: no such space: nowhere"]
> a [9, "renew", [5, 6], 90000]
a < [9, 0, [90000, 90000]]
> a [10, "renew", [5, 6], 1]
a < [10, 0, [90000, 90000]]
> a [11, "commit", {"done": [6], "out": [["v", ["y"]]]}]
a < [11, 0, [7]]
> a [12, "commit", {"done": [5]}]
+ delete 3
a = [12, 0, []]
> a [13, "commit"]
a < [13, 0, []]
> commit
a < [12, 0, []]
> check
tuples 1 waiting 0 outcomes 0 sessions 0 taken 0 claims 0
> open b
> b [1, "hello", {"may": {"main": ["in"], "v": ["out"]}}]
b < hello: boot 1 grace 0
> a [14, "out", "main", ["z"]]
+ put 8 ["z"]
a = [14, 0, 8]
> b [2, "in", "main", ["z"], {"lease": 60000}]
+ state 8 tries 1
b = [2, 0, [[8, ["z"], 9, 1]]]
> commit
a < [14, 0, 8]
b < [2, 0, [[8, ["z"], 9, 1]]]
> b [3, "commit", {"done": [9], "out": [["main", ["z"]]]}]
b < [3, -8, "commit: this session may not put into main"]
> b [4, "commit", {"done": [9]}]
+ delete 8
b = [4, 0, []]
> commit
b < [4, 0, []]
> check
tuples 1 waiting 0 outcomes 0 sessions 0 taken 0 claims 0
