# b waited second, its connection breaks and it resumes; c came third.
> open a
> open b
> open c
> open d
> b [1, "hello", {"session": "new"}]
+ session session 2
b = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> a [1, "in", "main", ["x", ?]]
> b [2, "in", "main", ["x", ?]]
> c [1, "in", "main", ["x", ?]]
> close b
> open b
> b [1, "hello", {"session": h'00010000000000000000000000000000', "have": []}]
b < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> b [2, "in", "main", ["x", ?]]
> d [1, "outs", "main", [["x", 1], ["x", 2], ["x", 3]]]
+ put 3 ["x", 1]
+ delete 3
a = [1, 0, [[3, ["x", 1]]]]
+ put 4 ["x", 2]
+ state 4 session 2 number 2
b = [2, 0, [[4, ["x", 2]]]]
+ put 5 ["x", 3]
+ delete 5
c = [1, 0, [[5, ["x", 3]]]]
d = [1, 0, [3, 4, 5]]
> commit
a < [1, 0, [[3, ["x", 1]]]]
b < [2, 0, [[4, ["x", 2]]]]
c < [1, 0, [[5, ["x", 3]]]]
d < [1, 0, [3, 4, 5]]
