# Tokens and ids come from one counter that goes on behind a restart, also when what they named
# was never on disk; a token of before names nothing, or the claim that its session still has.
> open a
> a [1, "hello", {"session": "new"}]
+ session session 2
a = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> a [2, "outs", "main", [["x", 1], ["x", 2]]]
+ put 3 ["x", 1]
+ put 4 ["x", 2]
+ outcome session 2 number 2 [3, 4]
a = [2, 0, [3, 4]]
> a [3, "in", "main", ["x", ?], {"lease": 1000}]
+ state 3 session 2 number 3 token 5 lease 1000 tries 1
a = [3, 0, [[3, ["x", 1], 5, 1]]]
> commit
a < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
a < [2, 0, [3, 4]]
a < [3, 0, [[3, ["x", 1], 5, 1]]]
> a [4, "in", "main", ["x", ?], {"lease": 1000}]
+ state 4 session 2 number 4 token 6 lease 1000 tries 1
a = [4, 0, [[4, ["x", 2], 6, 1]]]
> crash
+ ceiling number 2097154
> open b
> b [1, "in", "main", ["x", ?], {"lease": 1000}]
+ state 4 tries 1
b = [1, 0, [[4, ["x", 2], 1048578, 1]]]
> b [2, "commit", {"done": [5]}]
b < [2, -12, "commit: the claim 5 is over", [5]]
> b [3, "out", "main", ["y"]]
+ put 1048579 ["y"]
b = [3, 0, 1048579]
> commit
b < [1, 0, [[4, ["x", 2], 1048578, 1]]]
b < [3, 0, 1048579]
> crash
+ ceiling number 3145730
> open c
> c [1, "out", "main", ["z"]]
+ put 2097154 ["z"]
c = [1, 0, 2097154]
> c [2, "in", "main", ["z"], {"lease": 1000}]
+ state 2097154 tries 1
c = [2, 0, [[2097154, ["z"], 2097155, 1]]]
> commit
c < [1, 0, 2097154]
c < [2, 0, [[2097154, ["z"], 2097155, 1]]]
> check
tuples 4 waiting 0 outcomes 3 sessions 1 taken 0 claims 2
