# Whoever asks for a tuple at once, one gets it: those that waited, those that come, a claim, an
# atomic; and one that was undone is not had twice.
> open a
> open b
> open c
> open d
> a [1, "in", "main", ["x"]]
> b [1, "in", "main", ["x"], {"lease": 1000}]
> c [1, "atomic", [["in", "main", ["x"]], ["out", "main", ["got", "c"]]]]
> d [1, "out", "main", ["x"]]
+ put 2 ["x"]
+ delete 2
a = [1, 0, [[2, ["x"]]]]
d = [1, 0, 2]
> d [2, "in", "main", ["x"], {"timeout": 0}]
d = [2, 0, []]
> commit
a < [1, 0, [[2, ["x"]]]]
d < [1, 0, 2]
d < [2, 0, []]
> d [3, "out", "main", ["x"]]
+ put 3 ["x"]
+ state 3 tries 1
b = [1, 0, [[3, ["x"], 4, 1]]]
d = [3, 0, 3]
> d [4, "in", "main", ["x"], {"timeout": 0}]
d = [4, 0, []]
> commit
b < [1, 0, [[3, ["x"], 4, 1]]]
d < [3, 0, 3]
d < [4, 0, []]
> d [5, "out", "main", ["x"]]
+ put 5 ["x"]
d = [5, 0, 5]
+ delete 5
+ put 6 ["got", "c"]
c = [1, 0, [[[5, ["x"]]], [6]]]
> d [6, "in", "main", ["x"], {"timeout": 0}]
d = [6, 0, []]
> commit
d < [5, 0, 5]
c < [1, 0, [[[5, ["x"]]], [6]]]
d < [6, 0, []]
> d [7, "count", "main", ["x"]]
d < [7, 0, 1]
> check
tuples 2 waiting 0 outcomes 2 sessions 0 taken 1 claims 1
