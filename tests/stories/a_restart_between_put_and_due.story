# Due and ttl are in the rows. What became due while the server was down is visible at once; what
# expired is never seen. Taken and claimed tuples keep their time over a restart.
> open a
> a [1, "hello", {"session": "new"}]
+ session session 2
a = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> a [2, "out", "main", ["later"], {"delay": 60000}]
+ put 3 due +60000 ["later"]
+ outcome session 2 number 2 3
a = [2, 0, 3]
> a [3, "out", "main", ["soon"], {"delay": 5000}]
+ put 4 due +5000 ["soon"]
+ outcome session 2 number 3 4
a = [3, 0, 4]
> a [4, "out", "main", ["gone"], {"ttl": 5000}]
+ put 5 expires +5000 ["gone"]
+ outcome session 2 number 4 5
a = [4, 0, 5]
> a [5, "out", "main", ["stays"], {"ttl": 60000}]
+ put 6 expires +60000 ["stays"]
+ outcome session 2 number 5 6
a = [5, 0, 6]
> a [6, "out", "main", ["never"], {"delay": 6000, "ttl": 6000}]
+ put 7 due +6000 expires +6000 ["never"]
+ outcome session 2 number 6 7
a = [6, 0, 7]
> a [7, "outs", "main", [["taken"], ["claimed"]], {"ttl": 5000}]
+ put 8 expires +5000 ["taken"]
+ put 9 expires +5000 ["claimed"]
+ outcome session 2 number 7 [8, 9]
a = [7, 0, [8, 9]]
> a [8, "in", "main", ["taken"]]
+ state 8 session 2 number 8
a = [8, 0, [[8, ["taken"]]]]
> a [9, "in", "main", ["claimed"], {"lease": 60000}]
+ state 9 session 2 number 9 token 10 lease 60000 tries 1
a = [9, 0, [[9, ["claimed"], 10, 1]]]
> commit
a < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
a < [2, 0, 3]
a < [3, 0, 4]
a < [4, 0, 5]
a < [5, 0, 6]
a < [6, 0, 7]
a < [7, 0, [8, 9]]
a < [8, 0, [[8, ["taken"]]]]
a < [9, 0, [[9, ["claimed"], 10, 1]]]
> check
tuples 6 waiting 0 outcomes 8 sessions 1 taken 1 claims 1
> sleep 10s
+ delete 5
+ delete 7
> crash
+ ceiling number 2097154
> open a
> a [1, "hello", {"session": h'00010000000000000000000000000000', "have": [[1, 7]]}]
+ delete 5
+ delete 7
+ outcome-free session 2
a < hello: boot 2 grace 60000 session h'00010000000000000000000000000000'
> a [10, "rd", "main", null, {"max": 10}]
a = [10, 0, [[4, ["soon"]], [6, ["stays"]]]]
> a [11, "count", "main", null]
a = [11, 0, 4]
> commit
a < [10, 0, [[4, ["soon"]], [6, ["stays"]]]]
a < [11, 0, 4]
> check
tuples 4 waiting 0 outcomes 2 sessions 1 taken 1 claims 1
> a [12, "cancel", 8]
+ delete 8
a = [12, 0, true]
> a [13, "cancel", 9]
+ delete 9
a = [13, 0, true]
> commit
a < [12, 0, true]
a < [13, 0, true]
> check
tuples 3 waiting 0 outcomes 0 sessions 1 taken 0 claims 0
> pass 49s
> a [14, "rd", "main", null, {"max": 10}]
a < [14, 0, [[4, ["soon"]], [6, ["stays"]]]]
> pass 1s
+ delete 6
> a [15, "rd", "main", null, {"max": 10}]
a = [15, 0, [[3, ["later"]], [4, ["soon"]]]]
> commit
a < [15, 0, [[3, ["later"]], [4, ["soon"]]]]
> check
tuples 2 waiting 0 outcomes 0 sessions 1 taken 0 claims 0
