# b waits for the end of the jobs, and its connection breaks; the last one is done meanwhile.
# When b is back it hears so, and nothing is kept of that: it took nothing.
> open a
> open b
> b [1, "hello", {"session": "new"}]
+ session session 2
b = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> a [1, "out", "main", ["job"]]
+ put 3 ["job"]
a = [1, 0, 3]
> a [2, "in", "main", ["job"], {"lease": 1000}]
+ state 3 tries 1
a = [2, 0, [[3, ["job"], 4, 1]]]
> b [2, "in", "main", ["job"], {"drain": true}]
> commit
b < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
a < [1, 0, 3]
a < [2, 0, [[3, ["job"], 4, 1]]]
> close b
> a [3, "commit", {"done": [4]}]
+ delete 3
a = [3, 0, []]
> commit
a < [3, 0, []]
> open b
> b [1, "hello", {"session": h'00010000000000000000000000000000', "have": []}]
b < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
b < [2, 0, []]
> b [2, "in", "main", ["job"], {"drain": true}]
> commit
