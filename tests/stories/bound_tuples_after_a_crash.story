# The row says whose it is. A session that resumes keeps its bound tuples; those of one that is
# gone, or of a connection, are deleted at the start, and nobody sees them.
> open a
> open b
> a [1, "hello", {"session": "new"}]
+ session session 2
a = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> a [2, "out", "main", ["a"], {"bound": true}]
+ put 3 bound 2 ["a"]
+ outcome session 2 number 2 3
a = [2, 0, 3]
> b [1, "out", "main", ["b"], {"bound": true}]
+ put 4 bound 1 ["b"]
b = [1, 0, 4]
> b [2, "out", "main", ["late"], {"bound": true, "delay": 60000}]
+ put 5 due +60000 bound 1 ["late"]
b = [2, 0, 5]
> b [3, "outs", "main", [["taken"], ["claimed"]], {"bound": true}]
+ put 6 bound 1 ["taken"]
+ put 7 bound 1 ["claimed"]
b = [3, 0, [6, 7]]
> a [3, "in", "main", ["taken"]]
+ state 6 session 2 number 3
a = [3, 0, [[6, ["taken"]]]]
> a [4, "in", "main", ["claimed"], {"lease": 60000}]
+ state 7 session 2 number 4 token 8 lease 60000 tries 1
a = [4, 0, [[7, ["claimed"], 8, 1]]]
> commit
a < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
a < [2, 0, 3]
b < [1, 0, 4]
b < [2, 0, 5]
b < [3, 0, [6, 7]]
a < [3, 0, [[6, ["taken"]]]]
a < [4, 0, [[7, ["claimed"], 8, 1]]]
> crash
+ ceiling number 2097154
+ delete 4
+ delete 5
> open a
> a [1, "hello", {"session": h'00010000000000000000000000000000', "have": [[1, 2]]}]
+ outcome-free session 2
a < hello: boot 2 grace 60000 session h'00010000000000000000000000000000'
> a [5, "rd", "main", null, {"max": 10}]
a = [5, 0, [[3, ["a"]]]]
> a [6, "count", "main", null]
a = [6, 0, 2]
> commit
a < [5, 0, [[3, ["a"]]]]
a < [6, 0, 2]
> check
tuples 2 waiting 0 outcomes 2 sessions 1 taken 1 claims 1
> a [7, "cancel", 3]
+ delete 6
a = [7, 0, true]
> a [8, "cancel", 4]
+ delete 7
a = [8, 0, true]
> commit
a < [7, 0, true]
a < [8, 0, true]
> check
tuples 1 waiting 0 outcomes 0 sessions 1 taken 0 claims 0
# Nobody resumes: they are gone when the grace is over.
> crash
+ ceiling number 3145730
> pass 61s
+ delete 3
+ session-end session 2
> commit
> check
tuples 0 waiting 0 outcomes 0 sessions 0 taken 0 claims 0
