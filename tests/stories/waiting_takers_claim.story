# An out, an undone take and a claim that comes back all serve them; the reply is lost
# with the connection and answered again, as long as the claim is open.
> open a
> open b
> open c
> c [1, "hello", {"session": "new"}]
+ session session 2
c = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> a [1, "hello", {"session": "new"}]
+ session session 3
a = hello: boot 1 grace 60000 session h'00020000000000000000000000000000'
> commit
c < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
a < hello: boot 1 grace 60000 session h'00020000000000000000000000000000'
> a [2, "in", "main", ["x", ?], {"lease": 60000}]
> work
> c [2, "in", "main", ["x", ?], {"lease": 500}]
> b [1, "outs", "main", [["x", 1], ["x", 2]]]
+ put 4 ["x", 1]
+ state 4 session 3 number 2 token 5 lease 60000 tries 1
a = [2, 0, [[4, ["x", 1], 5, 1]]]
+ put 6 ["x", 2]
+ state 6 session 2 number 2 token 7 lease 500 tries 1
c = [2, 0, [[6, ["x", 2], 7, 1]]]
b = [1, 0, [4, 6]]
> commit
a < [2, 0, [[4, ["x", 1], 5, 1]]]
c < [2, 0, [[6, ["x", 2], 7, 1]]]
b < [1, 0, [4, 6]]
> close a
> open a
> a [1, "hello", {"session": h'00020000000000000000000000000000', "have": [1]}]
a < hello: boot 1 grace 60000 session h'00020000000000000000000000000000'
> a [2, "in", "main", ["x", ?], {"lease": 60000}]
a < [2, 0, [[4, ["x", 1], 5, 1]]]
> a [3, "in", "main", ["x", ?], {"lease": 60000}]
> pass 500ms
+ state 6 tries 1
+ state 6 session 3 number 3 token 8 lease 60000 tries 2
a = [3, 0, [[6, ["x", 2], 8, 2]]]
> commit
a < [3, 0, [[6, ["x", 2], 8, 2]]]
> a [4, "commit", {"back": [[8, 0]]}]
+ state 6 tries 2
+ outcome session 3 number 4 []
a = [4, 0, []]
> c [3, "in", "main", ["x", 1]]
> commit
a < [4, 0, []]
> check
tuples 2 waiting 1 outcomes 2 sessions 2 taken 0 claims 1
