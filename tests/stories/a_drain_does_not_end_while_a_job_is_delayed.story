# A delayed job exists, put so or given back so: who waits for the end of work, or for none to be
# left, waits on. One that expires, delayed or not, or vanishes with its session, ends it.
> open a
> open b
> open c
> a [1, "hello", {"session": "new"}]
+ session session 2
a = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> a [2, "out", "main", ["job", 1], {"delay": 5000}]
+ put 3 due +5000 ["job", 1]
+ outcome session 2 number 2 3
a = [2, 0, 3]
> a [3, "out", "main", ["job", 2]]
+ put 4 ["job", 2]
+ outcome session 2 number 3 4
a = [3, 0, 4]
> b [1, "in", "main", ["job", ?int], {"lease": 60000, "drain": true}]
+ state 4 tries 1
b = [1, 0, [[4, ["job", 2], 5, 1]]]
> b [2, "commit", {"back": [[5, 30000]]}]
+ state 4 due +30000 tries 1
b = [2, 0, []]
> b [3, "in", "main", ["job", ?int], {"drain": true}]
> c [1, "wait", "main", ["job", ?int], ["eq", 0]]
> c [2, "wait", "main", ["job", ?int], ["ge", 2], {"hidden": false}]
> a [4, "out", "main", ["job", 3], {"unless": ["job", ?int]}]
a = [4, 0, null]
> commit
a < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
a < [2, 0, 3]
a < [3, 0, 4]
b < [1, 0, [[4, ["job", 2], 5, 1]]]
b < [2, 0, []]
a < [4, 0, null]
> pass 5s
+ delete 3
b = [3, 0, [[3, ["job", 1]]]]
> b [4, "in", "main", ["job", ?int], {"drain": true}]
> commit
b < [3, 0, [[3, ["job", 1]]]]
> pass 25s
+ delete 4 tries 1
b = [4, 0, [[4, ["job", 2]]]]
c = [1, 0, 0]
> b [5, "in", "main", ["job", ?int], {"drain": true}]
b = [5, 0, []]
> commit
b < [4, 0, [[4, ["job", 2]]]]
c < [1, 0, 0]
b < [5, 0, []]
> check
tuples 0 waiting 1 outcomes 4 sessions 1 taken 2 claims 0
> a [5, "out", "main", ["job", 4], {"delay": 60000, "ttl": 2000}]
+ put 6 due +90000 expires +32000 ["job", 4]
+ outcome session 2 number 5 6
a = [5, 0, 6]
> a [6, "out", "main", ["job", 5], {"delay": 1000, "bound": true}]
+ put 7 due +31000 bound 2 ["job", 5]
+ outcome session 2 number 6 7
a = [6, 0, 7]
> a [7, "out", "main", ["job", 6], {"bound": true, "delay": 60000}]
+ put 8 due +90000 bound 2 ["job", 6]
+ outcome session 2 number 7 8
a = [7, 0, 8]
> b [6, "in", "main", ["job", ?int], {"drain": true}]
> pass 1s
+ delete 7
b = [6, 0, [[7, ["job", 5]]]]
> b [7, "in", "main", ["job", ?int], {"drain": true}]
> pass 1s
+ delete 6
> a [8, "bye"]
+ outcome-free session 2
+ outcome-free session 2
a = [8, 0, null]
+ delete 8
+ session-end session 2
b = [7, 0, []]
> commit
a < [5, 0, 6]
a < [6, 0, 7]
a < [7, 0, 8]
b < [6, 0, [[7, ["job", 5]]]]
a < [8, 0, null]
b < [7, 0, []]
> check
tuples 0 waiting 1 outcomes 3 sessions 0 taken 3 claims 0
