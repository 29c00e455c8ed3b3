# Given back with a delay a job is hidden, keeps its id and its tries, and is due in its old
# place; tries over, it is buried at once.
> open a
> open b
> a [1, "hello", {"session": "new"}]
+ session session 2
a = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> b [1, "hello", {"session": "new"}]
+ session session 3
b = hello: boot 1 grace 60000 session h'00020000000000000000000000000000'
> a [2, "space", "create", "jobs", {"tries": 2}]
+ space tries 2 4 jobs
+ outcome session 2 number 2 null
a = [2, 0, null]
> a [3, "outs", "jobs", [["a"], ["b"]]]
+ put 5 ["a"]
+ put 6 ["b"]
+ outcome session 2 number 3 [5, 6]
a = [3, 0, [5, 6]]
> a [4, "in", "jobs", ["a"], {"lease": 60000}]
+ state 5 session 2 number 4 token 7 lease 60000 tries 1
a = [4, 0, [[5, ["a"], 7, 1]]]
> commit
a < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
b < hello: boot 1 grace 60000 session h'00020000000000000000000000000000'
a < [2, 0, null]
a < [3, 0, [5, 6]]
a < [4, 0, [[5, ["a"], 7, 1]]]
> a [5, "commit", {"back": [[7, 30000]]}]
+ state 5 due +30000 tries 1
+ outcome session 2 number 5 []
a = [5, 0, []]
> commit
a < [5, 0, []]
> a [6, "count", "jobs", null]
a < [6, 0, 2]
> a [7, "in", "jobs", null, {"timeout": 0, "max": 10, "lease": 60000}]
+ state 6 session 2 number 7 token 8 lease 60000 tries 1
a = [7, 0, [[6, ["b"], 8, 1]]]
> a [8, "commit", {"back": [[8, 0]]}]
+ state 6 tries 1
+ outcome session 2 number 8 []
a = [8, 0, []]
> commit
a < [7, 0, [[6, ["b"], 8, 1]]]
a < [8, 0, []]
> check
tuples 2 waiting 0 outcomes 4 sessions 2 taken 0 claims 0
# A restart in between: the row says when.
> crash
+ ceiling number 2097154
> open b
> b [1, "hello", {"session": h'00020000000000000000000000000000', "have": [[1, 9]]}]
b < hello: boot 2 grace 60000 session h'00020000000000000000000000000000'
> pass 29s
> b [10, "in", "jobs", ["a"], {"lease": 60000}]
> pass 1s
+ state 5 session 3 number 10 token 1048578 lease 60000 tries 2
b = [10, 0, [[5, ["a"], 1048578, 2]]]
> commit
b < [10, 0, [[5, ["a"], 1048578, 2]]]
> b [11, "commit", {"back": [[1048578, 30000]]}]
+ space 1048579 jobs.dead
+ delete 5
+ put 5 tries 2 ["a"]
+ outcome session 3 number 11 []
b = [11, 0, []]
> commit
b < [11, 0, []]
> b [12, "rd", "jobs.dead", null]
b < [12, 0, [[5, ["a"]]]]
> commit
> check
tuples 2 waiting 0 outcomes 5 sessions 2 taken 0 claims 0
