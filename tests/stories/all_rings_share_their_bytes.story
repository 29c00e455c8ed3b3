# A sixteenth of the server's bytes is for the rings of all spaces: two events of 64. Who
# is beyond it lets go of its own; each keeps one.
> limit bytes 2048
> open a
> open b
> b [1, "space", "create", "s", {"volatile": true}]
+ space 2 s volatile
b = [1, 0, null]
> b [2, "space", "create", "t", {"volatile": true}]
+ space 3 t volatile
b = [2, 0, null]
> commit
b < [1, 0, null]
b < [2, 0, null]
> a [1, "watch", "s", ["never"]]
> a [2, "watch", "t", ["never"]]
> b [3, "out", "s", [1]]
b < [3, 0, 4]
> b [4, "out", "s", [2]]
b < [4, 0, 5]
> a [3, "watch", "s", null, {"after": 3481599999999999}]
a < [3, 1, ["put", 3481600000000000, 4, [1]]]
a < [3, 1, ["put", 3481600000000001, 5, [2]]]
> b [5, "out", "t", [3]]
b < [5, 0, 6]
> b [6, "out", "t", [4]]
b < [6, 0, 7]
> a [4, "watch", "t", null, {"after": 3481600000000001}]
a < [4, 1, ["put", 3481600000000002, 7, [4]]]
> a [5, "watch", "t", null, {"after": 3481600000000002}]
> a sent 3
> b [7, "out", "s", [5]]
b < [7, 0, 8]
a < [3, 1, ["put", 3481600000000002, 8, [5]]]
> a [6, "watch", "s", null, {"after": 3481600000000000}]
a < [6, 1, ["gap", 3481600000000002, 0, null]]
> a [7, "watch", "s", null, {"after": 3481600000000001}]
a < [7, 1, ["put", 3481600000000002, 8, [5]]]
> check
tuples 5 waiting 0 outcomes 0 sessions 0 taken 0 claims 0
