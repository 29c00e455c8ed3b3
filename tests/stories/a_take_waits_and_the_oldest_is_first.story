# Two takers wait; tuples go to the longest waiting. Then the oldest tuple is first.
> open a
> open b
> open c
> a [1, "in", "main", ["job", ?int]]
> b [1, "in", "main", ["job", ?]]
> c [1, "out", "main", ["job", 1]]
+ put 2 ["job", 1]
+ delete 2
a = [1, 0, [[2, ["job", 1]]]]
c = [1, 0, 2]
> c [2, "out", "main", ["job", 2]]
+ put 3 ["job", 2]
+ delete 3
b = [1, 0, [[3, ["job", 2]]]]
c = [2, 0, 3]
> c [3, "out", "main", ["job", 3]]
+ put 4 ["job", 3]
c = [3, 0, 4]
> c [4, "out", "main", ["job", 4]]
+ put 5 ["job", 4]
c = [4, 0, 5]
> commit
a < [1, 0, [[2, ["job", 1]]]]
c < [1, 0, 2]
b < [1, 0, [[3, ["job", 2]]]]
c < [2, 0, 3]
c < [3, 0, 4]
c < [4, 0, 5]
> a [2, "in", "main", ["job", ?int]]
+ delete 4
a = [2, 0, [[4, ["job", 3]]]]
> a [3, "rd", "main", ["job", ?int], {"max": 10}]
a = [3, 0, [[5, ["job", 4]]]]
> a [4, "in", "main", ["job", "text"], {"timeout": 0}]
a = [4, 0, []]
> check
tuples 1 waiting 0 outcomes 3 sessions 0 taken 3 claims 0

