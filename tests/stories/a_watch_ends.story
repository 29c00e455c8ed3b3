# With its cancel, its space, its session's bye, its server; and some never begin.
> open a
> open b
> a [1, "hello", {"session": "new"}]
+ session session 2
a = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> b [1, "space", "create", "s"]
+ space 3 s
b = [1, 0, null]
> commit
a < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
b < [1, 0, null]
> a [2, "watch", "nowhere", null]
a < [2, -5, "watch: no such space: nowhere"]
> a [3, "watch", "main", null]
> b [2, "out", "main", [1]]
+ put 4 [1]
b = [2, 0, 4]
a = [3, 1, ["put", 3481600000000000, 4, [1]]]
# the last word waits for the parts before it
> a [4, "cancel", 3]
a = [3, -13, "cancelled"]
a = [4, 0, true]
> commit
b < [2, 0, 4]
a < [3, 1, ["put", 3481600000000000, 4, [1]]]
a < [3, -13, "cancelled"]
a < [4, 0, true]
> a [5, "cancel", 3]
a < [5, 0, false]
> a [6, "watch", "s", ["x"]]
> b [3, "outs", "s", [["y"], ["x"]]]
+ put 5 ["y"]
+ put 6 ["x"]
b = [3, 0, [5, 6]]
a = [6, 1, ["put", 3481600000000003, 6, ["x"]]]
> b [4, "space", "drop", "s"]
+ space-drop
b = [4, 0, null]
+ delete 5
+ delete 6
+ space-end
> a sent 6
a = [6, 1, ["drop", 3481600000000004, 0, null]]
a = [6, -5, "the space was dropped"]
> commit
b < [3, 0, [5, 6]]
a < [6, 1, ["put", 3481600000000003, 6, ["x"]]]
b < [4, 0, null]
a < [6, 1, ["drop", 3481600000000004, 0, null]]
a < [6, -5, "the space was dropped"]
> a [7, "watch", "main", null]
> a [8, "bye"]
a < [7, -13, "the session said bye"]
a = [8, 0, null]
+ session-end session 2
> commit
a < [8, 0, null]
> open c
> c [1, "hello", {"session": "new", "may": {"main": ["rd"]}}]
+ session session 7
c = hello: boot 1 grace 60000 session h'00020000000000000000000000000000'
> c [2, "watch", "main", null]
c < [2, -8, "watch: this session may not do that on main"]
> open d
> d [1, "watch", "main", null]
> d [2, "out", "main", ["z"]]
+ put 8 ["z"]
d = [2, 0, 8]
d = [1, 1, ["put", 3481600000000001, 8, ["z"]]]
> stop
d = [1, -14, "the server is stopping"]
> check
tuples 2 waiting 0 outcomes 0 sessions 1 taken 0 claims 0
