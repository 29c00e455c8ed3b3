# Under the server's own limit of bytes the spaces take turns, and a small out does not
# overtake a large one of another space that waits already.
> limit bytes 400
> open a
> open b
> a [1, "space", "create", "s", {"volatile": true}]
+ space 2 s volatile
a = [1, 0, null]
> a [2, "space", "create", "t", {"volatile": true}]
+ space 3 t volatile
a = [2, 0, null]
> a [3, "outs", "s", [["0123456789012345678901234567890123456789"], ["0123456789012345678901234567890123456789"], ["0123456789012345678901234567890123456789"]]]
a < [3, 0, [4, 5, 6]]
> a [4, "out", "t", ["x"]]
a < [4, 0, 7]
> a [5, "outs", "t", [["0123456789012345678901234567890123456789"], ["0123456789012345678901234567890123456789"]], {"wait": true}]
> b [1, "out", "s", ["0123456789012345678901234567890123456789"], {"wait": true}]
> b [2, "out", "s", ["y"], {"wait": true}]
> check
tuples 4 waiting 3 outcomes 0 sessions 0 taken 0 claims 0
> b [3, "in", "s", [21580("text")]]
b < [3, 0, [[4, ["0123456789012345678901234567890123456789"]]]]
a < [5, 0, [8, 9]]
> check
tuples 5 waiting 2 outcomes 1 sessions 0 taken 1 claims 0
> b [4, "in", "t", ["x"]]
b < [4, 0, [[7, ["x"]]]]
> b [5, "in", "s", [21580("text")]]
b < [5, 0, [[5, ["0123456789012345678901234567890123456789"]]]]
b < [1, 0, 10]
> check
tuples 4 waiting 1 outcomes 3 sessions 0 taken 3 claims 0
> b [6, "in", "t", null, {"max": 2}]
b < [6, 0, [[8, ["0123456789012345678901234567890123456789"]], [9, ["0123456789012345678901234567890123456789"]]]]
b < [2, 0, 11]
> check
tuples 3 waiting 0 outcomes 4 sessions 0 taken 5 claims 0
> a [6, "outs", "s", [["0123456789012345678901234567890123456789"], ["0123456789012345678901234567890123456789"], ["0123456789012345678901234567890123456789"], ["0123456789012345678901234567890123456789"], ["0123456789012345678901234567890123456789"], ["0123456789012345678901234567890123456789"], ["0123456789012345678901234567890123456789"], ["0123456789012345678901234567890123456789"], ["0123456789012345678901234567890123456789"], ["0123456789012345678901234567890123456789"]], {"wait": true}]
a < [6, -4, "outs: the server's tuples take 400 bytes, its limit"]
> check
tuples 3 waiting 0 outcomes 4 sessions 0 taken 5 claims 0
