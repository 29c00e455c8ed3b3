# An out only writes the event down; who watches reads it in slices of the server's idle
# time, one after the other, and what it reads of others' tuples takes its turn too.
> open a
> open b
> open c
> c [1, "space", "create", "v", {"volatile": true}]
+ space 2 v volatile
c = [1, 0, null]
> commit
c < [1, 0, null]
> a [1, "watch", "v", null]
> a [2, "watch", "v", ["b"]]
> b [1, "watch", "v", null]
> slices
> c [2, "out", "v", ["a"]]
c < [2, 0, 3]
> c [3, "out", "v", ["b"]]
c < [3, 0, 4]
> work 1
a < [1, 1, ["put", 3481600000000000, 3, ["a"]]]
> work 1
> work 1
b < [1, 1, ["put", 3481600000000000, 3, ["a"]]]
> work 1
a < [2, 1, ["put", 3481600000000001, 4, ["b"]]]
> work 1
> work 1
> work 1
> a sent 1
> a sent 2
> b sent 1
> work
a < [1, 1, ["put", 3481600000000001, 4, ["b"]]]
b < [1, 1, ["put", 3481600000000001, 4, ["b"]]]
> c [4, "out", "v", ["c"]]
c < [4, 0, 5]
> close a
> c [5, "space", "drop", "v"]
+ space-drop
c = [5, 0, null]
> work 1
> work
+ space-end
> b sent 1
> work
b < [1, 1, ["put", 3481600000000002, 5, ["c"]]]
b = [1, 1, ["drop", 3481600000000003, 0, null]]
b = [1, -5, "the space was dropped"]
> check
tuples 0 waiting 0 outcomes 0 sessions 0 taken 0 claims 0
